// Prints signature vectors made and judged by Twilio's library.
//
//   node vectors.mjs count seed
//
// Each has the URL, parameters (or a body) and signature that a receiver sees, the verdict of Twilio's validator, and
// the signature Twilio's signer gives for exactly that input.
import { createHash } from "node:crypto";
import twilio from "twilio";

const [count, seed] = process.argv.slice(2).map(Number);

// mulberry32: the same vectors for the same seed on every machine.
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const times = (n, make) => Array.from({ length: n }, make);

const words = ["", "hi", "a b", " lead", "trail ", "a+b", "a&b=c", "100%", "%20", "ü", "grüße", "日本語", "😀", "👩‍👩‍👧", "Ωmega", "\n", "\r\n", "\t", "\"q\"", "'", "\\", "<xml/>", "é", "\u0000", "a".repeat(300)];
const token = () => times(32, () => pick("0123456789abcdef")).join("");
const value = () => times(below(4), () => pick(words)).join("");
const name = () => pick(["Body", "From", "To", "MessageSid", "AccountSid", "NumMedia", "MediaUrl0", "ErrorCode", "body", "FROM", "A_b", "x-y", "Z9"]) + pick(["", "", "1", "2"]);
const url = () => pick(["https://", "http://"]) + pick(["", "", "", "user:pass@", "u%40x:p%20s@"]) +
  pick(["gw.example.org", "localhost", "127.0.0.1", "[::1]", "[2001:db8::5]", "xn--bcher-kva.example", "EXAMPLE.org"]) +
  pick(["", "", ":443", ":80", ":8443", ":8080"]) +
  pick(["/", "/hook", "/hooks/sms/twilio", "/a%20b/c", "/ü", "/a'b", "/t/acct/s/42", "/a//b"]) +
  pick(["", "", "?a=b", "?a=b&c=%C3%BC", "?x=1+2", "?a=b&a=c", "?q='", "?e=", "?"]) +
  pick(["", "", "", "#rc=5&rp=all"]);
const params = () => Object.fromEntries(times(below(9), () => [name(), value()]));

function form() {
  return { kind: "form", url: url(), params: params() };
}
function repeated() {
  const v = form();
  v.kind = "repeated name";
  v.params[name()] = times(2 + below(3), () => pick(["b", "a", "b", "ü", "", "10", "9"]));
  return v;
}
function json() {
  const body = JSON.stringify({ text: value(), n: below(1000) });
  const u = url().split("#")[0];
  return { kind: "json", body, url: u + (u.includes("?") ? "&" : "?") + "bodySHA256=" + createHash("sha256").update(body).digest("hex") };
}
function port() { // signed without a port, seen with one: a proxy's doing
  const v = form();
  v.kind = "other port";
  const host = pick(["gw.example.org", "[::1]", "127.0.0.1"]);
  v.signed = `https://${host}/hook`;
  v.url = `https://${host}:${pick(["443", "8443"])}/hook`;
  if (random() < 0.5) {
    v.signed = `https://${host}:443/hook`;
    v.url = `https://${host}/hook`;
  }
  return v;
}

function sign(v, token) {
  return twilio.getExpectedTwilioSignature(token, v.signed ?? v.url, v.params ?? {});
}

// What a forger may do to a signed request.
const forgeries = [
  (v) => { v.signature = sign(v, token()); },
  (v) => { v.signature = ""; },
  (v) => { v.signature = (v.signature[0] === "A" ? "B" : "A") + v.signature.slice(1); },
  (v) => { v.signature = v.signature.toLowerCase(); },
  (v) => { v.signature = sign({ ...v, signed: v.url.replace("://", "://x") }, v.token); },
  (v) => { v.url = v.url.replace("://", "://mallory@"); },
  (v) => { v.url = v.url.replace(/\?|#|$/, "x$&"); },
  (v) => { if (v.params) v.params = { ...v.params, Extra: "1" }; else v.body += " "; },
  (v) => { if (v.params) v.params = { ...v.params, Body: "other " + (v.params.Body ?? "") }; else v.body = "{}"; },
];

function verdict(v) {
  return v.params
    ? twilio.validateRequest(v.token, v.signature, v.url, v.params)
    : twilio.validateRequestWithBody(v.token, v.signature, v.url, v.body);
}

const vectors = times(count, (_, i) => {
  const v = [form, form, repeated, json, port][i % 5]();
  v.token = token();
  v.signature = sign(v, v.token);
  if (random() < 0.4) {
    pick(forgeries)(v);
    v.kind = "forged " + v.kind;
  }
  v.valid = verdict(v);
  v.expected = twilio.getExpectedTwilioSignature(v.token, v.url, v.params ?? {});
  return v;
});
process.stdout.write(JSON.stringify(vectors));
