// One text for one value, whoever writes it and in which order: what a digest is taken of (RFC 8785, JSON Canonicalization
// Scheme). JavaScript writes numbers and strings as it asks for; the rest is the order of names and no blanks.

/** What is undefined is as good as not there. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    // By UTF-16 units, as the RFC has it and as `<` compares.
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
