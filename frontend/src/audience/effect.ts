/** What each part does to the number of people, in the order one reads them. */
import type { Part } from "./asking";
import type { Group, Item, State } from "./tree";

export interface Effect {
  alone: number;
  /** People after this part; null where it stands alone. */
  left: number | null;
  /** How many it takes away (negative) or brings (positive) beside the parts above it. */
  change: number | null;
  /** People there were before this part and after it, as a share of `of`, for the bar. */
  of: number;
  /** This part is the one after which nobody is left. */
  empties: boolean;
}

export function effects(
  state: State,
  paths: Map<number, string>,
  parts: Record<string, Part>,
  total: number,
): Map<number, Effect> {
  const found = new Map<number, Effect>();
  collect(state.root, total, paths, parts, found);
  return found;
}

/** `base`: everybody, where the parts of this group narrow everybody down; null inside other groups. */
function collect(
  group: Group,
  base: number | null,
  paths: Map<number, string>,
  parts: Record<string, Part>,
  found: Map<number, Effect>,
): void {
  const narrows = group.mode === "all" && !group.not;
  let before = narrows ? base : group.not ? null : 0;
  const of = largest(group.items, paths, parts, narrows ? base : null);
  for (const item of group.items) {
    const part = parts[paths.get(item.id) ?? "?"];
    if (part) {
      const left = group.items.length > 1 && !group.not ? part.left : null;
      const change = left !== null && before !== null ? left - before : null;
      found.set(item.id, { alone: part.alone, left, change, of, empties: left === 0 && before !== 0 });
      before = left;
    }
    if (item.kind === "group") collect(item, null, paths, parts, found);
  }
}

function largest(
  items: Item[],
  paths: Map<number, string>,
  parts: Record<string, Part>,
  base: number | null,
): number {
  if (base !== null) return base;
  const sizes = items.map((item) => parts[paths.get(item.id) ?? "?"]).map((part) => part?.left ?? part?.alone ?? 0);
  return Math.max(1, ...sizes);
}

/** The number (from 1) of the condition after which nobody is left; 0 when there is none. */
export function emptiedBy(state: State, found: Map<number, Effect>): number {
  return state.root.items.findIndex((item) => found.get(item.id)?.empties) + 1;
}
