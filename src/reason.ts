// Why something failed, in its own words: what every room says of an error that it knows nothing more of.

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
