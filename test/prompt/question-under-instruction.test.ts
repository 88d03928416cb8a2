import { describe, expect, it } from 'vitest';
import { routedText } from '../../router/prompt/index.ts';

const CONTEXT = `${'The lighthouse was built in 1869 and burns paraffin. '.repeat(6).trim()}\n\nIts keeper kept a diary.`;
const LINES = CONTEXT.replaceAll(/\n+/g, '\n');
const ASK = 'How tall is the lighthouse?';
const PROOF = 'Prove that there are infinitely many primes congruent to 3 modulo 4.';

describe('a question under an instruction, with context that nothing sets apart', () => {
  it.each([
    [`Answer using only the context below.\n\n${CONTEXT}\n\nQuestion: ${PROOF}`, PROOF],
    [`Answer the question using only the context.\n\n${CONTEXT}\n\nQuestion: ${PROOF}\nAnswer:`, PROOF],
    [`Answer using only the context below.\n\n${CONTEXT}\n\n${ASK}`, ASK],
    [`Answer using only the context below.\n\n${CONTEXT}\n\n${PROOF}`, PROOF],
    [`Answer using only the following context:\n\n${CONTEXT}\n\n${ASK}`, ASK],
    [`Based on the documents below, answer the question.\n\n${CONTEXT}\n\n${ASK}`, ASK],
    [`You are a helpful assistant.\nAnswer from the context only.\n\n${CONTEXT}\n\n${ASK}`, ASK],
    [`Beantworte die Frage nur anhand des folgenden Kontexts.\n\n${CONTEXT}\n\n${ASK}`, ASK],
    [`Answer using only this text:\n${LINES}\n${ASK}`, ASK],
    [`Use only the documents below.\n\n${CONTEXT}\n\nUser: ${ASK}`, ASK],
    [`Answer using only this text:\n${CONTEXT}\n\n${ASK}`, ASK],
    [`Answer using only the text below.\n${LINES}\nQuestion: ${PROOF}\nAnswer:`, PROOF],
    [`Answer using only the context below: ${ASK}\n\n${CONTEXT}`, ASK],
    [`Based on the context below, how tall is the lighthouse?\n\n${CONTEXT}`, 'how tall is the lighthouse?'],
    [
      `Given the following documents, how tall is the lighthouse?\n\n${CONTEXT}`,
      'how tall is the lighthouse?',
    ],
    [`${CONTEXT}\n\nBased on the context above, how tall is the lighthouse?`, 'how tall is the lighthouse?'],
    [`${CONTEXT}\n\nUsing only the context above, answer: ${ASK}`, ASK],
    [`Here is some context:\n${CONTEXT}\n\nHere is my question:\n${ASK}`, ASK],
    [`Relevant memories:\n- ${LINES}\n- ${LINES}\n\nUser message: ${ASK}`, ASK],
    [`[Source: keepers.md]\n${LINES}\n\n[Source: towers.md]\n${LINES}\n\n${ASK}`, ASK],
  ])('is found: %j', (prompt, question) => {
    expect(routedText({ prompt })).toBe(question);
  });

  it.each([
    `Use a friendly tone.\n\n${CONTEXT}\n\nIs that all right?`,
    `Tell me about lighthouses.\n\n${CONTEXT}\n\n${ASK}`,
    `Answer using only the context below.\n\n${ASK}`,
    `Answer using only this text:\n${ASK}`,
    `Answer using only the context below.\n\n${CONTEXT}`,
    `Answer using only the context below.\n\n${CONTEXT}\n\nExplain the main argument of this text.`,
    // The form of a puzzle that somebody sets: what is before the label may be the task itself.
    `${CONTEXT}\n\nQuestion: ${ASK}`,
    `Answer using only the context below.\n\n${CONTEXT}\n\nMara was hired in May. Does she owe rent?`,
    `Based on the text below, answer the question.\n\n${CONTEXT}\n\n${ASK}`,
    `Using only the passage, how does the keeper feel?\n\n${CONTEXT}`,
    `${CONTEXT}\n\nBased on the passage above, how does the keeper feel?`,
    `Based on the context below, how tall is it?`,
    `Read the passage below carefully and answer the questions:\n${LINES}\nQuestion: ${ASK}`,
    `Ada buys a lamp based on the description given. Is it hers? Only the text above says so.\n${LINES}\nQuestion: ${ASK}`,
    `Summarise the text below.\n\n${CONTEXT}\n\nWho would want to live there?`,
  ])('is no question apart: %j', (prompt) => {
    expect(routedText({ prompt })).toBe(prompt);
  });
});

describe('a command beside retrieved text in tags, or in pieces with numbers', () => {
  const TAGGED = `<context>\n${CONTEXT}\n</context>`;
  const PIECES = `[1] ${LINES}\n[2] ${LINES}`;
  const CODE = 'Write a Python function that finds the longest palindromic substring in linear time.';

  it.each([
    [`${TAGGED}\n\n${PROOF}`, PROOF],
    [`${PROOF}\n\n${TAGGED}`, PROOF],
    [`${TAGGED}\n\n${CODE}`, CODE],
    [`<documents>\n${CONTEXT}\n</documents>\n\nPlease ${CODE}`, `Please ${CODE}`],
    [`${PIECES}\n\n${PROOF}`, PROOF],
  ])('is found: %j', (prompt, command) => {
    expect(routedText({ prompt })).toBe(command);
  });

  it.each([
    'Summarize what is said here.',
    'Write a summary of the text above.',
    'List all people that it names.',
    'Explain how this lamp works in detail.',
    'Explain.',
    'Explain that idea in more detail.',
    'The keeper shows that the lamp burns.',
    'Find all mistakes in the spelling of the text.',
  ])('is no command apart: %j', (paragraph) => {
    const prompt = `${TAGGED}\n\n${paragraph}`;
    expect(routedText({ prompt })).toBe(prompt);
  });
});
