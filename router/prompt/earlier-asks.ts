/** Earlier asks are added only while the text is shorter than this, in UTF-16 units: a long ask speaks for itself. */
export const EARLIER_ASKS_WITHIN_CHARACTERS = 2_000;

export const BETWEEN_ASKS = '\n\n';
