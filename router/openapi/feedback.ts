import { jsonResponse, reference } from './components.ts';

/** The path of feedback on replies. */
export function feedbackPaths({ requestId, error }: { readonly requestId: object; readonly error: object }) {
  const refusal = (description: string) => jsonResponse(description, error);
  return {
    '/v1/feedback': {
      post: {
        operationId: 'give_feedback',
        summary: 'Feedback on a reply, by its decision id or its token.',
        description:
          'Needs the part feedback of the configuration. By the API key that the request came with, or without one by the token of x-plimsoll-feedback-token. Of each kind the first counts; what is repeated gets the same response. The same at /feedback.',
        parameters: [requestId],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: reference('FeedbackRequest') } },
        },
        responses: {
          200: jsonResponse('It is stored.', reference('FeedbackResponse')),
          400: refusal('A field is wrong or missing.'),
          401: refusal('Neither a key nor a token that is good.'),
          404: refusal('There is no such decision under this API key, or no feedback is taken here.'),
          503: refusal('The state cannot be reached.'),
        },
      },
    },
  };
}
