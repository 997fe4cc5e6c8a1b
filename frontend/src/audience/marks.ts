/** Places in a text, as the server counts them: in characters, not in UTF-16 units. */

export interface TextProblem {
  start: number;
  end: number;
  message: string;
}

export interface Piece {
  text: string;
  wrong: boolean;
}

/** The text in pieces, those with a problem marked. */
export function cut(text: string, problems: TextProblem[]): Piece[] {
  const letters = Array.from(text);
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end } of [...problems].sort((one, other) => one.start - other.start)) {
    if (start < at) continue; // lies within a marked piece already
    if (start > at) pieces.push({ text: letters.slice(at, start).join(""), wrong: false });
    pieces.push({ text: letters.slice(start, end).join(""), wrong: true });
    at = end;
  }
  if (at < letters.length) pieces.push({ text: letters.slice(at).join(""), wrong: false });
  return pieces;
}
