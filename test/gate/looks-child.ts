/**
 * Run as a process of its own: begins a look at cases 0 to 50 with a suite of its own, and is killed if it is asked to be.
 * `node --import tsx looks-child.ts <artifact folder> <digit of the suite's hash> [kill]`. Prints the look's number.
 */
import { casesOf, lookAt } from './look-world.ts';

const [artifact = '', suite = '', kill] = process.argv.slice(2);
const { number } = lookAt(artifact, casesOf(0, 50), { suiteSha256: suite.repeat(64) });
if (kill !== undefined) process.kill(process.pid, 'SIGKILL');
process.stdout.write(String(number));
