// What the subcommands share in reading their arguments.

/** Why `parseArgs` took none of it: the first sentence says what is wrong, the rest is Node's advice about `--`. */
export function whyUnusable(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split(/\.(?:\s|$)|\n/)[0] ?? text;
}
