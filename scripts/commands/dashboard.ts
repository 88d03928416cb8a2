import { Command } from 'commander';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../../router/config/index.ts';
import { createLink } from '../../router/dashboard/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { urlHost } from '../../router/loopback-host.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly url?: string;
  readonly json: boolean;
}

/** `plimsoll dashboard`: how to get in. */
export function dashboardCommand(): Command {
  return new Command('dashboard').addCommand(
    new Command('link')
      .description('Print a link that signs in to the dashboard, once, as admin, within ten minutes')
      .option('--config <file>', `the configuration (default: ${DEFAULT_CONFIG_FILE} where there is one)`)
      .option(
        '--url <url>',
        'where browsers reach the server (default: its host and port in the configuration)',
      )
      .option('--json', 'print the result as JSON', false)
      .action(link),
  );
}

function link({ config, url, json }: Flags): void {
  const { server, dashboard } = loadConfig(config);
  if (dashboard === 'off') {
    throw new PlimsollError(
      'invalid-config',
      'The dashboard is off. Set dashboard: on and restart the server.',
      {
        place: { field: 'dashboard' },
      },
    );
  }
  const made = createLink(url === undefined ? configuredUrl(server) : givenUrl(url), Date.now());
  if (json) printJson({ link: made });
  else print(`${made}\n`);
}

function configuredUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  if (port !== 0) return `http://${urlHost(host)}:${port}`;
  throw new PlimsollError(
    'invalid-input',
    'server.port is 0, so the configuration does not say where the server listens. Name it with --url.',
  );
}

function givenUrl(text: string): string {
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text).origin;
  throw new PlimsollError('invalid-input', '--url must be an address such as https://plimsoll.example.com.');
}
