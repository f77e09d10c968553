// Validates recorded exchanges against Twilio's OpenAPI document.
//
//   node validate.mjs twilio_api_v2010.json exchanges.json
//
// Prints a JSON array with one entry per exchange: the operation it belongs to (null: not in the document) and its
// violations. Stricter than the document in one thing: an object in an answer has exactly the properties that its schema
// names. The document describes only successes; errors are held to the form that Twilio's library reads.
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const [specFile, exchangesFile] = process.argv.slice(2);
const spec = JSON.parse(readFileSync(specFile, "utf8"));
const exchanges = JSON.parse(readFileSync(exchangesFile, "utf8"));

const rfc2822 = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} \+0000$/;
const isURL = (s) => {
  try {
    new URL(s, "https://api.twilio.com"); // Twilio's own examples of "uri" are relative
    return !/\s/.test(s);
  } catch {
    return false;
  }
};
const formats = {
  "date-time-rfc-2822": (s) => rfc2822.test(s) && !Number.isNaN(Date.parse(s)),
  "date-time": (s) => !Number.isNaN(Date.parse(s)),
  "phone-number": /^([a-z]+:)?(\+[1-9]\d{6,14}|\d{3,8}|[A-Za-z0-9 &+_-]{1,11})$/,
  "currency": /^[A-Z]{3}$/,
  "uri": isURL,
  "uri-map": true,
  "int64": true,
};
const options = { strict: false, allErrors: true, formats };
const answers = new Ajv(options).addSchema(spec, "spec");
const requests = new Ajv({ ...options, coerceTypes: "array" }).addSchema(spec, "spec"); // parameters come as strings

const pointer = (...steps) => "#/" + steps.map((s) => encodeURIComponent(s.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
const compiled = new Map();
function validator(ajv, ref) {
  const key = (ajv === answers ? "a" : "r") + ref;
  if (!compiled.has(key)) compiled.set(key, ajv.compile({ $ref: "spec" + ref }));
  return compiled.get(key);
}
function deref(schema) {
  while (schema.$ref) {
    schema = schema.$ref.slice(2).split("/").reduce((at, s) => at[decodeURIComponent(s).replaceAll("~1", "/").replaceAll("~0", "~")], spec);
  }
  return schema;
}

const routes = Object.entries(spec.paths).map(([template, item]) => {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
  const pattern = template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "([^/]+?)");
  return { template, item, names, pattern: new RegExp("^" + pattern + "$") };
});

function route(method, path) {
  for (const r of routes) {
    const match = r.pattern.exec(path);
    if (match && r.item[method]) {
      return { ...r, operation: r.item[method], values: match.slice(1).map(decodeURIComponent) };
    }
  }
  return null;
}

// collect turns name=value pairs into an object; a name that comes again makes an array.
function collect(encoded) {
  const object = {};
  for (const [name, value] of new URLSearchParams(encoded)) {
    object[name] = name in object ? [].concat(object[name], value) : value;
  }
  return object;
}

function problems(where, errors) {
  return errors.map((e) => ({ where, at: e.instancePath, text: e.message + (e.params.allowedValues ? ": " + e.params.allowedValues.join(" ") : "") }));
}

function checkRequest(x, r, found) {
  const parameters = r.operation.parameters ?? [];
  const query = collect(x.query);
  const values = Object.fromEntries(r.names.map((name, i) => [name, r.values[i]]));
  parameters.forEach((p, i) => {
    const given = p.in === "path" ? values[p.name] : query[p.name];
    if (given === undefined) {
      if (p.required) found.push({ where: "request", at: p.name, text: "required parameter is missing" });
      return;
    }
    const check = validator(requests, pointer("paths", r.template, x.method.toLowerCase(), "parameters", String(i), "schema"));
    if (!check(given)) found.push(...problems("request " + p.name, check.errors));
  });
  for (const name of Object.keys(query)) {
    if (!parameters.some((p) => p.in === "query" && p.name === name)) found.push({ where: "request", at: name, text: "unknown query parameter" });
  }
  if (r.operation.security?.length && !x.authorized) found.push({ where: "request", at: "", text: "no credentials" });
  checkForm(x, r, found);
}

function checkForm(x, r, found) {
  const type = "application/x-www-form-urlencoded";
  const content = r.operation.requestBody?.content;
  if (!content) {
    if (x.requestBody) found.push({ where: "request", at: "", text: "unexpected body" });
    return;
  }
  if (!x.requestType.startsWith(type)) found.push({ where: "request", at: "", text: "content type " + x.requestType });
  const form = collect(x.requestBody);
  const schema = deref(content[type].schema);
  for (const name of Object.keys(form)) {
    if (!(name in schema.properties)) found.push({ where: "request", at: name, text: "unknown form parameter" });
  }
  const check = validator(requests, pointer("paths", r.template, x.method.toLowerCase(), "requestBody", "content", type, "schema"));
  if (!check(form)) found.push(...problems("request", check.errors));
}

function checkAnswer(x, r, found) {
  const described = r.operation.responses[String(x.status)];
  if (!described) {
    found.push({ where: "response", at: "", text: "status " + x.status + " is not documented" });
    return;
  }
  const [type] = Object.keys(described.content ?? {});
  if (!type) {
    if (x.responseBody) found.push({ where: "response", at: "", text: "unexpected body" });
    return;
  }
  if (x.responseType.split(";")[0] !== type) found.push({ where: "response", at: "", text: "content type " + x.responseType });
  const body = parse(x.responseBody, found);
  if (body === undefined) return;
  const check = validator(answers, pointer("paths", r.template, x.method.toLowerCase(), "responses", String(x.status), "content", type, "schema"));
  if (!check(body)) found.push(...problems("response", check.errors));
  checkShape(described.content[type].schema, body, "", found);
}

// checkShape wants every property of the schema and no other.
function checkShape(schema, value, at, found) {
  schema = deref(schema);
  if (Array.isArray(value)) {
    value.forEach((v, i) => schema.items && checkShape(schema.items, v, `${at}/${i}`, found));
    return;
  }
  if (value === null || typeof value !== "object" || !schema.properties) return;
  for (const name of Object.keys(value)) {
    if (!(name in schema.properties)) found.push({ where: "response", at: `${at}/${name}`, text: "unknown property" });
  }
  for (const [name, inner] of Object.entries(schema.properties)) {
    if (!(name in value)) found.push({ where: "response", at: `${at}/${name}`, text: "property is missing" });
    else checkShape(inner, value[name], `${at}/${name}`, found);
  }
}

// checkError holds an error to what lib/base/RestException.js of Twilio's library reads.
function checkError(x, found) {
  const bad = (at, text) => found.push({ where: "response", at, text });
  if (!x.responseType.startsWith("application/json")) bad("", "content type " + x.responseType);
  const body = parse(x.responseBody, found);
  if (body === undefined) return;
  if (!Number.isInteger(body.code)) bad("/code", "must be an integer");
  if (body.status !== x.status) bad("/status", "must be the HTTP status");
  if (typeof body.message !== "string" || !body.message) bad("/message", "must be a text");
  if (body.more_info !== "https://www.twilio.com/docs/errors/" + body.code) bad("/more_info", "must link to the error code");
}

function parse(text, found) {
  try {
    return JSON.parse(text);
  } catch (e) {
    found.push({ where: "response", at: "", text: e.message });
    return undefined;
  }
}

const report = exchanges.map((x) => {
  const r = route(x.method.toLowerCase(), x.path);
  const violations = [];
  if (r && x.status < 300) {
    checkRequest(x, r, violations);
    checkAnswer(x, r, violations);
  } else if (x.status >= 400) {
    checkError(x, violations);
  }
  return { operation: r?.operation.operationId ?? null, violations };
});
process.stdout.write(JSON.stringify(report));
