// Drives a stand-in with Twilio's own library and prints what it made of each call.
//
//   node client.mjs baseURL accountSID authToken from to
import twilio from "twilio";

const [base, account, token, from, to] = process.argv.slice(2);

class Rewrite extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", base) });
  }
}
const client = twilio(account, token, { httpClient: new Rewrite({ autoRetry: true, maxRetries: 2, maxRetryDelay: 50 }) });

const failure = (e) => ({ name: e.constructor.name, status: e.status, code: e.code, message: e.message, moreInfo: e.moreInfo });
const attempt = (promise) => promise.then((value) => ({ value }), (e) => ({ error: failure(e) }));

const created = await client.messages.create({ from, to, body: "from Twilio's library 😀", smartEncoded: true });
const results = {
  created: created.toJSON(),
  fetched: (await client.messages(created.sid).fetch()).toJSON(),
  retried: (await client.messages.create({ from, to, body: "after a 429" })).toJSON(), // the server refuses the first try
  page: (await client.messages.page({ to, pageSize: 1 })).instances.map((m) => m.body),
  listed: (await client.messages.list({ to, pageSize: 1 })).map((m) => m.body),
  badTo: await attempt(client.messages.create({ from, to: "nobody", body: "x" })),
  missing: await attempt(client.messages("SM" + "0".repeat(32)).fetch()),
  media: (await client.messages(created.sid).media.list()).length,
};
results.redacted = (await client.messages(created.sid).update({ body: "" })).toJSON();
process.stdout.write(JSON.stringify(results));
