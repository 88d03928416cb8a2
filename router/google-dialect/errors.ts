/** Google's error body (https://google.aip.dev/193): `status` is the name of a google.rpc.Code. */
interface GoogleErrorBody {
  readonly error: { readonly code: number; readonly message: string; readonly status: string };
}

const STATUSES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** An error as Google's official client reads it. */
export function googleErrorBody({
  status,
  message,
}: {
  readonly status: number;
  readonly message: string;
}): GoogleErrorBody {
  const name = STATUSES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
  return { error: { code: status, message, status: name } };
}
