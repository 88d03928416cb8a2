import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = process.env['PLIMSOLL_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export const NO_CHROMIUM = `no Chromium at ${EXECUTABLE} (Debian: chromium; PLIMSOLL_CHROMIUM names another place)`;

/** Undefined if there is none on this machine. */
export async function launchChromium(): Promise<Browser | undefined> {
  if (!existsSync(EXECUTABLE)) return undefined;
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS.split(' ') });
}
