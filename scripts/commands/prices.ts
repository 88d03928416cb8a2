import { Command, InvalidArgumentError } from 'commander';
import { textTable } from '../../evals/format.ts';
import { type PriceAge, priceAges } from '../../router/catalog/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { print, printJson } from '../terminal.ts';

const MAX_AGE_DAYS = 90;

interface Flags {
  readonly config?: string;
  readonly maxAgeDays: number;
  readonly json: boolean;
}

/** `plimsoll prices`: what costs are reckoned with. */
export function pricesCommand(): Command {
  const prices = new Command('prices');
  prices
    .command('check')
    .description('Say which prices were read too long ago; exit 1 if there are any')
    .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where there is one)')
    .option('--max-age-days <days>', 'how old a price may be', wholeNumber, MAX_AGE_DAYS)
    .option('--json', 'print the result as JSON', false)
    .action(runCheck);
  return prices;
}

function runCheck({ config, maxAgeDays, json }: Flags): void {
  const ages = priceAges(loadConfig(config), new Date());
  const isOld = ({ days }: PriceAge) => days > maxAgeDays;
  const old = ages.filter(isOld);
  if (old.length > 0) process.exitCode = 1;
  if (json) {
    printJson({
      max_age_days: maxAgeDays,
      ok: old.length === 0,
      prices: ages.map((age) => {
        const { kind, asOf: as_of, days, source, models } = age;
        return { kind, as_of, days, old: isOld(age), source, models };
      }),
    });
    return;
  }
  const rows = ages.map((age) => {
    const { kind, asOf, days, source, models } = age;
    return [kind, asOf, String(days), isOld(age) ? 'old' : 'ok', String(models.length), source];
  });
  const verdict =
    old.length === 0
      ? `No price is older than ${maxAgeDays} days.`
      : `Prices of ${old.map(({ kind }) => kind).join(', ')} are older than ${maxAgeDays} days: look at the provider's page, and set models.<provider>/<model>.price where it differs.`;
  const table = textTable([['provider', 'read on', 'days', '', 'models', 'source'], ...rows]);
  print(rows.length === 0 ? 'No price here is from the table.\n' : `${table}\n${verdict}\n`);
}

function wholeNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of days, 0 or more.');
}
