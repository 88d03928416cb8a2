/** Parses the lines of a file of JSON and does nothing with them, in a process of its own: the floor of whatever reads it. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , file] = process.argv as [string, string, string];
let lines = 0;
for await (const line of createInterface({ input: createReadStream(file) })) if (JSON.parse(line)) lines++;
process.stdout.write(JSON.stringify({ lines }));
