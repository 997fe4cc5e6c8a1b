/** What one does to a part as a whole, by menu, key or drag: the new root, and which part to stand on afterwards. */
import { say } from "../words";
import { duplicated, find, inOrder, moved, negatedOf, parentOf, removed, unwrapped, wrappedIn } from "./moves";
import type { Group } from "./tree";

export type Act = "up" | "down" | "wrap" | "unwrap" | "negate" | "duplicate" | "remove" | "copy" | "cut" | "paste";

export interface Done {
  root: Group;
  /** The part that has the attention now; null for none. */
  at: number | null;
}

/** Acts that change the tree by themselves; copying and pasting also need the clipboard. */
export function acted(root: Group, id: number, act: Act): Done {
  switch (act) {
    case "up":
      return { root: moved(root, id, -1), at: id };
    case "down":
      return { root: moved(root, id, 1), at: id };
    case "wrap":
      return { root: wrappedIn(root, id), at: id };
    case "unwrap":
      return { root: unwrapped(root, id), at: firstOf(root, id) };
    case "negate":
      return { root: negatedOf(root, id), at: id };
    case "duplicate": {
      const made = duplicated(root, id);
      return { root: made.root, at: made.id };
    }
    case "remove":
    case "cut":
      return { root: removed(root, id), at: neighbour(root, id) };
    default:
      return { root, at: id };
  }
}

function firstOf(root: Group, id: number): number | null {
  const group = find(root, id);
  return group?.kind === "group" ? (group.items[0]?.id ?? null) : id;
}

/** Where one stands when the part is gone: on the next, else on the one before. */
function neighbour(root: Group, id: number): number | null {
  const place = parentOf(root, id);
  if (!place) return null;
  const { group, index } = place;
  const beside = group.items[index + 1] ?? group.items[index - 1];
  return beside?.id ?? (group.id === root.id ? null : neighbour(root, group.id));
}

/** The part after or before this one in reading order. */
export function beside(root: Group, id: number, by: -1 | 1): number | undefined {
  const order = inOrder(root).map((item) => item.id);
  return order[order.indexOf(id) + by];
}

/** Keys on the handle of a part, and what they do; the same list is shown in the sheet of shortcuts. */
export const KEYS: { keys: string; act: Act; text: string }[] = [
  { keys: "Alt ArrowUp", act: "up", text: say("上移", "Move up") },
  { keys: "Alt ArrowDown", act: "down", text: say("下移", "Move down") },
  { keys: "Ctrl d", act: "duplicate", text: say("复制一份", "Duplicate") },
  { keys: "Ctrl c", act: "copy", text: say("拷贝（可粘贴到别处）", "Copy") },
  { keys: "Ctrl x", act: "cut", text: say("剪切", "Cut") },
  { keys: "Alt KeyN", act: "negate", text: say("取反", "Turn around (not)") },
  { keys: "Alt KeyG", act: "wrap", text: say("放入新的一组", "Put into a group") },
  { keys: "Alt KeyU", act: "unwrap", text: say("拆开这一组", "Take the group apart") },
  { keys: "Delete", act: "remove", text: say("删除", "Delete") },
];

/** Which act a key means. `typing`: in a field for text, where only the keys with Alt keep their meaning here. */
export function actOf(event: KeyboardEvent, typing: boolean): Act | undefined {
  if (event.isComposing) return undefined;
  const control = event.ctrlKey || event.metaKey;
  return KEYS.find(({ keys }) => {
    const [first, second] = keys.split(" ");
    if (first === "Alt") return event.altKey && !control && (event.code === second || event.key === second);
    if (typing || event.altKey) return false;
    if (first === "Ctrl") return control && !event.shiftKey && event.key.toLowerCase() === second;
    return !control && (event.key === first || event.key === "Backspace");
  })?.act;
}
