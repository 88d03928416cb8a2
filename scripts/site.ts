import { Command } from 'commander';
import { configSchema } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { serve } from '../router/index.ts';
import { buildSite, type SiteOptions } from './site/index.ts';

const { out } = new Command('site')
  .description(
    'Writes the documentation as static pages, with the routes and the fields of the configuration as the code has them.',
  )
  .option('--out <folder>', 'where; a site that is there is replaced', 'dist-site')
  .parse()
  .opts<{ readonly out: string }>();

try {
  const pages = await buildSite({ out, openApi: await servedDocument() });
  process.stdout.write(`${pages} pages in ${out}: open ${out}/index.html\n`);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`site: ${error.message}\n`);
  process.exitCode = 1;
}

/** What a gateway with every kind of route answers. */
async function servedDocument(): Promise<SiteOptions['openApi']> {
  const local = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' };
  const server = await serve(
    configSchema.parse({
      providers: { local },
      models: { 'local/small': {}, 'local/large': {} },
      ladder: { cheap: 'local/small', strong: 'local/large' },
      server: { port: 0 },
      state: { kind: 'memory' },
      log_level: 'silent',
    }),
  );
  try {
    const response = await fetch(`${server.url}/openapi.json`);
    return (await response.json()) as SiteOptions['openApi'];
  } finally {
    await server.close();
  }
}
