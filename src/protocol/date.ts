// Times as people read them: the line protocol, the console and the command line show them alike.

/** `YYYY-MM-DD HH:MM:SS` in the local time of whoever shows it. */
export function formatDate(atMs: number): string {
  const at = new Date(atMs);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `YYYY-MM-DD HH:MM:SS UTC`, for what is kept and read by those who are elsewhere. */
export function formatDateUtc(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replace('T', ' ')} UTC`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
