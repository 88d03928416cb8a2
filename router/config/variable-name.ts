import { z } from 'zod';

/** Upper case only: names of variables are written so, and the keys of nearly every provider are not. */
export const VARIABLE_NAME = /^[A-Z_][A-Z0-9_]{0,63}$/;

/** The name of an environment variable. @param what it holds, which must never stand in the file itself */
export const variableName = (what: string) =>
  z
    .string()
    .regex(
      VARIABLE_NAME,
      `takes the NAME of an environment variable in upper case, never the ${what} itself`,
    );
