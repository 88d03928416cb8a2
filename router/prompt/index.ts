/** A request -> the text that is scored: what a person asked, without what harnesses and templates add. */
export { conversationOf, type ReadableTurn } from './conversation.ts';
export { personTexts } from './person-ask.ts';
export { requestMessages } from './request-messages.ts';
export { routedText, scoredText } from './routed-text.ts';
