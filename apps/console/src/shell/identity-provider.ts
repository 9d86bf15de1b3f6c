import { Inject, Injectable } from '@nestjs/common';
import * as oidc from 'openid-client';
import { type Account, attemptOf, lacks, personByClaims } from '../core/oidc.js';
import { sha256 } from '../core/session.js';
import { SETTINGS, type Settings } from './settings.js';

/** The time limit for one answer of the provider, in seconds: a person waits for it. */
const patience = 5;

/** Signs people in by OpenID Connect: authorization code, PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9700). */
@Injectable()
export class IdentityProvider {
  private discovered: Promise<oidc.Configuration> | undefined;
  private readonly callback: string;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.callback = `${settings.publicUrl}/v1/sign-in/oidc/callback`;
  }

  /** The address to which the browser goes first. */
  async begin(secret: string): Promise<string> {
    const { verifier, state, nonce } = attemptOf(secret);
    const configuration = await this.configuration();
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.callback,
      scope: 'openid profile',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...{ state, nonce },
    }).href;
  }

  /** The person who came back with `query`. Throws if the provider's answer does not belong to this attempt. */
  async end(secret: string, query: string): Promise<ReturnType<typeof personByClaims> & { readonly account: Account }> {
    const { verifier, state, nonce } = attemptOf(secret);
    const configuration = await this.configuration();
    const { mapping } = this.provider();
    const tokens = await oidc.authorizationCodeGrant(configuration, new URL(`${this.callback}${query}`), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error('the provider answered without an identity');
    const asks = lacks(claims, mapping) && configuration.serverMetadata().userinfo_endpoint !== undefined;
    const more = asks ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub) : {};
    const account = { issuer: claims.iss, subjectSha256: sha256(claims.sub) };
    return { ...personByClaims({ ...more, ...claims }, mapping), account };
  }

  private provider() {
    const { oidc: provider } = this.settings;
    if (!provider) throw new Error('no identity provider is set');
    return provider;
  }

  /** The provider's description of itself, kept after the first read. */
  private configuration(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.provider();
    const { protocol } = new URL(issuer);
    this.discovered ??= oidc
      .discovery(
        new URL(issuer),
        clientId,
        undefined,
        clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
        // The settings allow plain HTTP only for this machine.
        { timeout: patience, execute: protocol === 'http:' ? [oidc.allowInsecureRequests] : [] },
      )
      .catch((error: unknown) => {
        this.discovered = undefined;
        throw error;
      });
    return this.discovered;
  }
}
