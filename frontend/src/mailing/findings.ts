/** Lines beside the mail: what was found in it, and what stands where somebody's data is missing. */

export interface Finding {
  level: string;
  label: string;
  message: string;
  part: string;
  line: number | null;
  column: number;
}

/** line: the words for "line {n}"; jump: goes to where the finding stands. */
export function findingItem(
  entry: Finding,
  line: string,
  jump: (part: string, line: number, column: number) => void,
): HTMLElement {
  const item = document.createElement("li");
  item.className = `mail-finding mail-finding-${entry.level}`;
  const level = document.createElement("b");
  level.textContent = entry.label;
  const message = document.createElement("span");
  message.textContent = entry.message;
  item.append(level, message);
  const at = entry.line;
  if (at && (entry.part === "source" || entry.part === "text")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-small btn-quiet";
    button.textContent = line.replace("{n}", String(at));
    button.addEventListener("click", () => jump(entry.part, at, entry.column));
    item.append(button);
  }
  return item;
}

export interface Fallback {
  path: string;
  value: string;
  /** Said beside the path: that it is needed. */
  note: string;
  readonly: boolean;
}

export function fallbackRow(entry: Fallback, changed: (text: string) => void): HTMLElement {
  const row = document.createElement("label");
  row.className = "field";
  const label = document.createElement("span");
  label.className = "field-label spread";
  const code = document.createElement("code");
  code.textContent = entry.path;
  const note = document.createElement("span");
  note.className = "small is-warn";
  note.textContent = entry.note;
  label.append(code, note);
  const input = document.createElement("input");
  input.value = entry.value;
  input.maxLength = 200;
  input.readOnly = entry.readonly;
  input.addEventListener("input", () => changed(input.value));
  row.append(label, input);
  return row;
}
