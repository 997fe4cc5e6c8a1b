/** What the mail editor computes without a page. */

export interface Judgement {
  problems: { part: string; line: number; column: number; code: string; message: string }[];
  findings?: { level: string; code: string; place: string; message: string; label: string }[];
  printed?: string[];
  required?: string[];
  size?: number;
  subject?: string;
  refusal?: string;
}

/** Width in columns: a Han character or an emoji takes two, as on a phone. Merge tags do not count. */
export function columns(text: string): number {
  let width = 0;
  for (const character of text.replace(/\{\{.*?\}\}|\{%.*?%\}/g, ""))
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]/u.test(
        character,
      )
        ? 2
        : 1;
  return width;
}

/** Where a finding points: "source:12" → line 12 of the source. */
export function lineOf(place: string): number | null {
  const match = /^source:(\d+)$/.exec(place);
  return match ? Number(match[1]) : null;
}

/** The field as a merge tag; one that may be empty gets an empty fallback to fill in. */
export function mergeTag(path: string, group: string): string {
  return group || !path.startsWith("contact.") ? `{{ ${path} }}` : `{{ ${path} or "" }}`;
}
