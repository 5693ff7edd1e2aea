// Verifies and makes tokens with jose, which knows nothing of this server.
import * as jose from 'jose';
import { answerWith } from './asked.mjs';

async function verified(token, keys, options) {
  try {
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys, options);
    return { payload, header: protectedHeader };
  } catch (error) {
    return { error: error.code ?? String(error) };
  }
}

function unsecured(header, payload) {
  const part = (value) => jose.base64url.encode(JSON.stringify(value));
  return `${part({ ...header, alg: 'none' })}.${part(payload)}.`;
}

const keyOf = ({ pem, jwk, alg }) => (pem ? jose.importPKCS8(pem, alg) : jose.importJWK(jwk, alg));

const actions = {
  verify: ({ token, jwks, options }) => verified(token, jose.createLocalJWKSet(jwks), options),
  // The example of a guide, in a file of its own.
  example: async ({ file, token }) => ({ payload: await (await import(file)).claimsOf(token) }),
  generate: async ({ alg }) => {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    return { private: await jose.exportJWK(privateKey), public: await jose.exportJWK(publicKey) };
  },
  sign: async ({ header, payload, pem, jwk }) => ({ token: await new jose.SignJWT(payload).setProtectedHeader(header).sign(await keyOf({ pem, jwk, alg: header.alg })) }),
  // What a verifier that lets the token choose the algorithm would take: HMAC under the bytes of the public key.
  sign_by_public_key: async ({ header, payload, secret }) => ({
    token: await new jose.SignJWT(payload).setProtectedHeader(header).sign(new TextEncoder().encode(secret)),
  }),
  unsecured: ({ header, payload }) => ({ token: unsecured(header, payload) }),
  spki: async ({ jwk, alg }) => ({ pem: await jose.exportSPKI(await jose.importJWK(jwk, alg, { extractable: true })) }),
};

await answerWith(actions);
