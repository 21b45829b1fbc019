import { createHmac } from 'node:crypto';

/** The secret of the servers that the tests start. */
export const SECRET = 'a-secret-that-these-tests-alone-know';

/** A token signed with HS256 (RFC 7515); `lifetime` in seconds. */
export function token(user, { lifetime = 3600, claims = {}, secret = SECRET } = {}) {
  const now = Date.now() / 1000;
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const head = encode({ alg: 'HS256', typ: 'JWT' });
  const body = encode({ sub: user, iat: Math.floor(now), exp: now + lifetime, ...claims });
  const signature = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
  return `${head}.${body}.${signature}`;
}

/** A configuration that takes such tokens. */
export function withTokens(rules, rest = '') {
  const lines = rules.map((rule) => `"${rule}"`).join(', ');
  return `
[security]
authenticator = "jwt"
rules = [${lines}]
[jwt]
secret = "${SECRET}"
leeway = "0s"
${rest}`;
}
