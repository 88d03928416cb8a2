import { z } from 'zod';

/** The name of an environment variable. @param what it holds, which must never stand in the file itself */
export const variableName = (what: string) =>
  z
    .string()
    .regex(
      /^[A-Z_][A-Z0-9_]{0,63}$/,
      `takes the NAME of an environment variable in upper case, never the ${what} itself`,
    );
