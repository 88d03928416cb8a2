import { withoutInstructions } from './instructions.ts';
import { speaksForItself } from './standalone-question.ts';

const PREAMBLE = 'Below is an instruction that describes a task';
const INSTRUCTION = /^### ?Instruction:?[ \t\r]*$/im;
const INPUT = /^### ?Input:?[ \t\r]*$/im;
const RESPONSE = /\n### ?Response:?\s*$/i;

/**
 * The ask in the template of Stanford Alpaca, which most instruction-tuned models took over: `### Instruction`, perhaps `### Input`, and
 * `### Response` at the end. The instruction is the ask, with its input; without it where the input is only what the question is answered
 * from; and an instruction that only says how to answer gives way to the input.
 */
export function questionInAlpaca(text: string): string | undefined {
  if (!text.includes('###')) return undefined; // most texts
  const response = RESPONSE.exec(text);
  const instruction = response === null ? null : INSTRUCTION.exec(text);
  if (response === null || instruction === null) return undefined;
  if (instruction.index > 0 && !text.startsWith(PREAMBLE)) return undefined;
  const filled = text.slice(instruction.index + instruction[0].length, response.index);
  const input = INPUT.exec(filled);
  const ask = filled.slice(0, input?.index).trim();
  const given = input === null ? '' : filled.slice(input.index + input[0].length).trim();
  if (given === '' || speaksForItself(ask, given)) return ask;
  return withoutInstructions(ask) === '' ? given : `${ask}\n\n${given}`;
}
