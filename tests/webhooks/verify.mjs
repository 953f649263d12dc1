// Reads [{secret, publicKey, body, headers}] and prints what each comes to, by the npm library for v1
// and by Node's own ed25519 for v1a.
import { createPublicKey, verify } from "node:crypto";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(`${process.argv[2]}/`);
const { Webhook } = require("standardwebhooks");

const v1 = ({ secret, body, headers }) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    return error.message;
  }
};

const v1a = ({ publicKey, body, headers }) => {
  const key = createPublicKey({
    format: "jwk",
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey.slice(5), "base64").toString("base64url") },
  });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  return headers["webhook-signature"]
    .split(" ")
    .filter((each) => each.startsWith("v1a,"))
    .some((each) => verify(null, signed, key, Buffer.from(each.slice(4), "base64")));
};

const messages = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(messages.map((each) => ({ v1: v1(each), v1a: v1a(each) }))));
