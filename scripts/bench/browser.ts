import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = process.env['PLIMSOLL_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];

export const NO_BROWSER = `there is no Chromium at ${EXECUTABLE}; apt-get install chromium, or name it in PLIMSOLL_CHROMIUM`;

/** Undefined if there is none on this machine. */
export async function openBrowser(): Promise<Browser | undefined> {
  if (!existsSync(EXECUTABLE)) return undefined;
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}
