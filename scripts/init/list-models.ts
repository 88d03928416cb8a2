import { createCatalog } from '../../router/catalog/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { outboundFrom } from '../../router/exchange/index.ts';
import { COMMAND } from '../../router/package.ts';
import { probeProvider } from '../../router/providers/index.ts';
import type { WantedProvider } from './answers.ts';
import { providersOf } from './config-text.ts';

/** Asks a provider for its list of models, which is free of charge: `<provider>/<model>` each, or a sentence why not. */
export async function modelsOf(wanted: WantedProvider): Promise<readonly string[] | string> {
  const [provider] = createCatalog(configSchema.parse({ providers: providersOf([wanted]) })).providers;
  const probe = await probeProvider(provider!, outboundFrom(undefined));
  if (probe.kind === 'answered') return probe.models.map((id) => `${wanted.name}/${id}`);
  if (probe.kind === 'unknown') return [];
  const code = probe.code === undefined ? '' : ` (${probe.code})`;
  return `${wanted.name} does not list its models: ${probe.failure}${code}. ${COMMAND} doctor --online says what to do about it.`;
}
