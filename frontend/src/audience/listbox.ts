/** Named things in a list one walks by arrows: which of them fit what is typed, and which is next. */
import type { Named } from "./vocabulary";

/** All of them in their groups; once something is typed, the best first, each saying its group. */
export function fitting(options: Named[], text: string, limit = 300): Named[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return options.slice(0, limit);
  return options
    .map((option) => ({ option, rank: rankOf(option, words) }))
    .filter(({ rank }) => rank < NOWHERE)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, limit)
    .map(({ option: { group, ...rest } }) => ({ note: group ?? "", ...rest }));
}

const NOWHERE = 9;

/** 0: the name itself; 1: it begins so; 2: a word in it does; 3: it holds it; 4: its key or group does. */
function rankOf(option: Named, words: string[]): number {
  const label = option.label.toLowerCase();
  const all = `${label} ${option.value} ${option.group ?? ""}`.toLowerCase();
  if (!words.every((word) => all.includes(word))) return NOWHERE;
  const text = words.join(" ");
  if (label === text) return 0;
  if (label.startsWith(text)) return 1;
  if (label.includes(` ${text}`)) return 2;
  return words.every((word) => label.includes(word)) ? 3 : 4;
}

/** The index after a key, round the ends; unchanged for other keys. */
export function stepped(index: number, size: number, key: string): number {
  if (size === 0) return -1;
  switch (key) {
    case "ArrowDown":
      return index + 1 >= size ? 0 : index + 1;
    case "ArrowUp":
      return index <= 0 ? size - 1 : index - 1;
    case "PageDown":
      return Math.min(size - 1, index + 8);
    case "PageUp":
      return Math.max(0, index - 8);
    default:
      return index;
  }
}
