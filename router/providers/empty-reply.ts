import type { Dialect } from '../catalog/index.ts';
import { fieldIn, isObject, type JsonObject, objectIn, objectsIn, textIn } from '../json/index.ts';

/**
 * Whether a plain reply, or an event of a stream, has anything of the model: a piece of content, or its reason to stop. A reply without
 * either is none, though its status is 200: the model would seem to have nothing to say.
 */
export function saysSomething(json: unknown, dialect: Dialect): boolean {
  if (dialect === 'openai') return objectsIn(json, 'choices').some(choiceSaysSomething);
  return (
    textIn(json, 'stop_reason') !== undefined ||
    textIn(objectIn(json, 'delta'), 'stop_reason') !== undefined ||
    fieldIn(json, 'type') === 'content_block_delta' ||
    blockSaysSomething(fieldIn(json, 'content_block')) ||
    objectsIn(json, 'content').some(blockSaysSomething) ||
    saysSomethingAtStart(objectIn(json, 'message'))
  );
}

/** Some servers put all of a reply into `message_start`. */
function saysSomethingAtStart(message: JsonObject): boolean {
  return (
    textIn(message, 'stop_reason') !== undefined || objectsIn(message, 'content').some(blockSaysSomething)
  );
}

function choiceSaysSomething(choice: JsonObject): boolean {
  if (textIn(choice, 'finish_reason') !== undefined || textIn(choice, 'text') !== undefined) return true;
  return [objectIn(choice, 'message'), objectIn(choice, 'delta')].some((message) =>
    Object.entries(message).some(([name, value]) => name !== 'role' && !isEmpty(value)),
  );
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined || value === '';
  return value === null || Object.keys(value).length === 0;
}

/** Blocks of other types than text say something by being there. */
function blockSaysSomething(block: unknown): boolean {
  return isObject(block) && (block['type'] !== 'text' || textIn(block, 'text') !== undefined);
}
