import { z } from 'zod';
import { THIS_MACHINE } from '../loopback-host.ts';
import { camelCased } from './camel-cased.ts';
import { variableName } from './variable-name.ts';

/** Over TLS, but on this machine. */
const address = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine(
    (url) => url.startsWith('https:') || THIS_MACHINE.includes(new URL(url).hostname),
    'must begin with https://, but on this machine',
  );

const values = z.array(z.string().min(1).max(200)).max(100).default([]);

/** `oidc` of plimsoll.config.yaml: people sign in at the dashboard with an account of their organisation. */
export const oidcSchema = z
  .strictObject({
    issuer: address.describe('The provider of OpenID Connect, as it names itself.'),
    client_id: z.string().min(1).max(500).describe('What the provider calls this client.'),
    client_secret_env: variableName('secret')
      .optional()
      .describe(
        'NAME of the environment variable with the secret of the client. Without it the client is a public one, which PKCE protects.',
      ),
    url: address
      .refine((url) => new URL(url).href === `${new URL(url).origin}/`, 'must be scheme, host and port alone')
      .describe(
        'Where browsers reach this server. The provider must know <url>/dashboard/oidc/callback as an address to lead back to.',
      ),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'has characters that no scope has'))
      .max(20)
      .default(['openid', 'email'])
      .refine((scopes) => scopes.includes('openid'), 'must have openid in it')
      .describe('What is asked for.'),
    claim: z
      .string()
      .min(1)
      .max(200)
      .default('groups')
      .describe(
        'The claim that says who somebody is: a text or a list of texts. It is read from the ID token, or else from the userinfo endpoint.',
      ),
    roles: z
      .strictObject({ view: values, operate: values, admin: values })
      .refine(
        (roles) => Object.values(roles).some(({ length }) => length > 0),
        'must name a value for a role',
      )
      .describe(
        'Values of the claim for each role of the dashboard; of several the one that may most counts. Who has none of them is not let in.',
      ),
  })
  .transform(camelCased);

export type OidcConfig = z.output<typeof oidcSchema>;
