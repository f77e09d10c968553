// Counts segments with Twilio's calculator: texts.json is an array of texts.
//
//   node segments.mjs texts.json
import { readFileSync } from "node:fs";
import calculator from "sms-segments-calculator";

const texts = JSON.parse(readFileSync(process.argv[2], "utf8"));
process.stdout.write(JSON.stringify(texts.map((text) => {
  const plain = new calculator.SegmentedMessage(text);
  const smart = new calculator.SegmentedMessage(text, "auto", true);
  return { segments: plain.segmentsCount, encoding: plain.encodingName, smart: smart.segmentsCount };
})));
