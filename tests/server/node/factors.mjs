// Second factors by packages that know nothing of this server: an authenticator (nid-webauthn-emulator), a relying party (@simplewebauthn/server), an
// authenticator app (otpauth).
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import emulation from 'nid-webauthn-emulator';
import * as OTPAuth from 'otpauth';
import { answerWith } from './asked.mjs';

const { AuthenticatorEmulator, WebAuthnEmulator } = emulation;
const authenticators = new Map();

const actions = {
  authenticator: ({ name, algorithm, verified, increment }) => {
    authenticators.set(
      name,
      new WebAuthnEmulator(
        new AuthenticatorEmulator({
          algorithmIdentifiers: [algorithm],
          signCounterIncrement: increment,
          verifications: { userPresent: true, userVerified: verified },
        }),
      ),
    );
    return {};
  },
  create: ({ name, origin, options }) => authenticators.get(name).createJSON(origin, options),
  get: ({ name, origin, options }) => authenticators.get(name).getJSON(origin, options),
  // What a relying party of @simplewebauthn keeps of a registration, as JSON.
  registered: async ({ response, challenge, origin, party }) => {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: party,
      requireUserVerification: false,
    });
    const { id, publicKey, counter } = registrationInfo.credential;
    return { verified, credential: { id, publicKey: Buffer.from(publicKey).toString('base64url'), counter }, backup: registrationInfo.credentialBackedUp };
  },
  asserted: async ({ response, challenge, origin, party, credential, verify }) => {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: party,
      requireUserVerification: verify,
      credential: { ...credential, publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')) },
    });
    return { verified, counter: authenticationInfo.newCounter };
  },
  code: ({ uri, seconds }) => ({ code: OTPAuth.URI.parse(uri).generate({ timestamp: Date.now() + seconds * 1000 }) }),
};

await answerWith(actions);
