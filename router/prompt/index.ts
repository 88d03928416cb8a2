export { personTexts } from './person-ask.ts';
export { routedText, scoredText } from './routed-text.ts';
