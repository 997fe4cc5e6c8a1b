/** Changes of the tree. Each gives a new one and shares what it did not touch; each keeps its root a group. */
import { emptyGroup, fresh, type Group, type Item, wrapped } from "./tree";

export function find(group: Group, id: number): Item | undefined {
  if (group.id === id) return group;
  for (const item of group.items) {
    const found = item.kind === "group" ? find(item, id) : item.id === id ? item : undefined;
    if (found) return found;
  }
  return undefined;
}

/** The group the item stands in, and at which place. */
export function parentOf(group: Group, id: number): { group: Group; index: number } | undefined {
  const index = group.items.findIndex((item) => item.id === id);
  if (index >= 0) return { group, index };
  for (const item of group.items) {
    const found = item.kind === "group" ? parentOf(item, id) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Everything one can stand on, in reading order, the root left out. */
export function inOrder(group: Group): Item[] {
  return group.items.flatMap((item) => (item.kind === "group" ? [item, ...inOrder(item)] : [item]));
}

export function changed(group: Group, id: number, change: (item: Item) => Item): Group {
  if (group.id === id) {
    const made = change(group);
    return made.kind === "group" ? made : wrapped(made);
  }
  return { ...group, items: group.items.map((item) => inside(item, id, change)) };
}

function inside(item: Item, id: number, change: (item: Item) => Item): Item {
  if (item.id === id) return change(item);
  return item.kind === "group" ? changed(item, id, change) : item;
}

/** Into the group at a place, or at its end. */
export function added(root: Group, into: number, item: Item, index?: number): Group {
  return changed(root, into, (target) => {
    if (target.kind !== "group") return target;
    const items = [...target.items];
    items.splice(index ?? items.length, 0, item);
    return { ...target, items };
  });
}

/** Beside another item, after it. */
export function addedAfter(root: Group, after: number, item: Item): Group {
  const place = parentOf(root, after);
  return place ? added(root, place.group.id, item, place.index + 1) : added(root, root.id, item);
}

/** Without the item; groups that become empty go with it, except the root. */
export function removed(root: Group, id: number): Group {
  const items = root.items
    .filter((item) => item.id !== id)
    .map((item) => (item.kind === "group" ? removed(item, id) : item))
    .filter((item) => item.kind === "condition" || item.items.length > 0);
  return { ...root, items };
}

/** One place up or down in reading order: past a neighbour, into a group that stands there, or out of one's own. */
export function moved(root: Group, id: number, by: -1 | 1): Group {
  const from = parentOf(root, id);
  if (!from) return root;
  const item = from.group.items[from.index];
  const neighbour = from.group.items[from.index + by];
  if (!item) return root;
  if (neighbour?.kind === "group") {
    return placed(root, id, neighbour.id, by === 1 ? 0 : neighbour.items.length);
  }
  if (neighbour) return placed(root, id, from.group.id, by === 1 ? from.index + 2 : from.index - 1);
  const outer = parentOf(root, from.group.id);
  return outer ? placed(root, id, outer.group.id, by === 1 ? outer.index + 1 : outer.index) : root;
}

/** Taken from where it stands and put into a group before the item that has this index there now. */
export function placed(root: Group, id: number, into: number, index: number): Group {
  const item = find(root, id);
  if (!item || item.id === root.id || (item.kind === "group" && find(item, into))) return root;
  const mark = -1; // holds the place while the item is taken out, so that no index shifts
  const marked = added(root, into, { ...emptyGroup(), id: mark, items: [{ ...item, id: mark - 1 }] }, index);
  return changed(removed(marked, id), mark, () => item);
}

/** A group around the item, of the other kind than the one it stands in: that is why one wraps. */
export function wrappedIn(root: Group, id: number): Group {
  const place = parentOf(root, id);
  if (!place) return root;
  return changed(root, id, (item) => ({ ...emptyGroup(place.group.mode === "all" ? "any" : "all"), items: [item] }));
}

/** The members in place of the group. A group turned around stays: without it they would say something else. */
export function unwrapped(root: Group, id: number): Group {
  const place = parentOf(root, id);
  const item = place?.group.items[place.index];
  if (!place || item?.kind !== "group" || item.not) return root;
  const items = [...place.group.items];
  items.splice(place.index, 1, ...item.items);
  return changed(root, place.group.id, (target) => (target.kind === "group" ? { ...target, items } : target));
}

export function negatedOf(root: Group, id: number): Group {
  return changed(root, id, (item) => ({ ...item, not: !item.not }));
}

export function duplicated(root: Group, id: number): { root: Group; id: number } {
  const item = find(root, id);
  if (!item || item.id === root.id) return { root, id };
  const copy = copyOf(item);
  return { root: addedAfter(root, id, copy), id: copy.id };
}

/** The same with new identities. */
export function copyOf(item: Item): Item {
  return item.kind === "group"
    ? { ...item, id: fresh(), items: item.items.map(copyOf) }
    : { ...item, id: fresh(), body: structuredClone(item.body) };
}
