import { Command } from 'commander';
import { diagnose, type Finding } from '../doctor/index.ts';
import { counted, print, printJson } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly online: boolean;
  readonly json: boolean;
}

/** `plimsoll doctor`: what would keep a server from starting, or from working. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where it exists)')
    .option(
      '--online',
      'also ask each provider for its list of models: free, and shows whether its key works',
      false,
    )
    .option('--json', 'print the findings as JSON', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing is wrong (there may be warnings), 1 something is, 2 wrong usage.\n',
    )
    .action(run);
}

async function run({ config, online, json }: Flags): Promise<void> {
  const findings = await diagnose({ config, online });
  const faults = findings.filter(({ status }) => status === 'fault').length;
  const warnings = findings.filter(({ status }) => status === 'warning').length;
  if (json) printJson({ ok: faults === 0, faults, warnings, findings });
  else print(`${findings.map(findingLines).join('\n')}\n\n${conclusion(faults, warnings)}\n`);
  if (faults > 0) process.exitCode = 1;
}

/** A word beside the colour: it is read without it too. */
const WORDS: Readonly<Record<Finding['status'], readonly [word: string, colour: number]>> = {
  ok: ['ok', 32],
  warning: ['warning', 33],
  fault: ['fault', 31],
  skipped: ['skipped', 90],
};

/** A finding for a terminal, with the way to fix it. */
export function findingLines({ check, status, text, fix }: Finding): string {
  const [word, colour] = WORDS[status];
  const padded = word.padEnd(8);
  const shown = process.stdout.isTTY && !process.env['NO_COLOR'] ? `\x1b[${colour}m${padded}\x1b[0m` : padded;
  const first = `${shown} ${check}: ${text}`;
  return fix === undefined ? first : `${first}\n${' '.repeat(9)}${fix}`;
}

function conclusion(faults: number, warnings: number): string {
  if (faults > 0)
    return `${counted(faults, 'fault')} and ${counted(warnings, 'warning')}. The server does not work until that is fixed.`;
  return warnings > 0 ? `No faults, ${counted(warnings, 'warning')}.` : 'Nothing is wrong.';
}
