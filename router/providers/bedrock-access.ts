/** How Amazon Bedrock is let know who asks: a bearer token, or AWS's own signature. In the SDK's words. */
export interface BedrockAccess {
  readonly region: string;
  readonly apiKey: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
}

const REGION = /\.([a-z0-9-]+)\.amazonaws\.com/;
/** The SDK looks into the environment for what is undefined; an empty text keeps it from that. */
const NONE = '';

/** @param apiKey - of the variable that the configuration names; undefined: AWS's own variables count, in AWS's order */
export function bedrockAccess(
  baseUrl: string,
  apiKey: string | undefined,
  env: NodeJS.ProcessEnv,
): BedrockAccess {
  const region = REGION.exec(baseUrl)?.[1] ?? env['AWS_REGION'] ?? 'us-east-1';
  const token = apiKey ?? bedrockToken(env);
  if (token !== undefined) return { region, apiKey: token };
  return {
    region,
    apiKey: NONE,
    accessKeyId: setting(env, 'AWS_ACCESS_KEY_ID') ?? NONE,
    secretAccessKey: setting(env, 'AWS_SECRET_ACCESS_KEY') ?? NONE,
    sessionToken: setting(env, 'AWS_SESSION_TOKEN') ?? NONE,
  };
}

/** Whether anything in the environment lets Bedrock be asked. Nothing else is looked at: neither files nor AWS's metadata service. */
export function hasBedrockAccess(env: NodeJS.ProcessEnv): boolean {
  const signs = setting(env, 'AWS_ACCESS_KEY_ID') && setting(env, 'AWS_SECRET_ACCESS_KEY');
  return bedrockToken(env) !== undefined || signs !== undefined;
}

/** AWS's own variable for a Bedrock API key. */
export function bedrockToken(env: NodeJS.ProcessEnv): string | undefined {
  return setting(env, 'AWS_BEARER_TOKEN_BEDROCK');
}

function setting(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
