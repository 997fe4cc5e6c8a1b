/** Copying and pasting of parts: from the builder, from another page, or as text from anywhere. */
import { say } from "../words";
import { brought, carried, carry } from "./clipboard";
import { added, addedAfter, find } from "./moves";
import type { Server } from "./server";
import { type Group, type Item, type Json, readItem, writeItem } from "./tree";

/** The builder, as far as parts are carried to and from it. */
export interface Place {
  root: () => Group;
  /** The part one stands on. */
  at: () => number | null;
  /** The text form of a part, when it is known. */
  textOf: (id: number) => string | undefined;
  put: (root: Group, item: Item) => void;
  tell: (text: string) => void;
}

export class Carrying {
  constructor(
    private readonly place: Place,
    private readonly server: Server,
  ) {}

  copy(id: number): void {
    const item = find(this.place.root(), id);
    if (!item) return;
    const tree = writeItem(item);
    carry({ tree, text: this.place.textOf(id) ?? JSON.stringify(tree) });
    this.place.tell(
      say("已拷贝，可以粘贴到这里、别的受众或一段文字里。", "Copied. Paste it here, in another audience or into a text."),
    );
  }

  /** By the menu: what was copied last in this window. */
  pasteAfter(id: number): void {
    const tree = carried();
    if (tree === undefined) this.place.tell(say("还没有拷贝过条件。", "No condition has been copied yet."));
    else this.#insert(tree, id);
  }

  /** By the browser's own paste. */
  pasted(event: ClipboardEvent): void {
    const { tree, text } = brought(event);
    if (tree === undefined && !text.trim()) return;
    event.preventDefault();
    if (tree === undefined) void this.#read(text);
    else this.#insert(tree, this.place.at());
  }

  async #read(text: string): Promise<void> {
    const found = await this.server.read(text).catch(() => null);
    if (found?.tree !== undefined) return this.#insert(found.tree, this.place.at());
    const why = found?.problems[0]?.message ?? "";
    this.place.tell(`${say("粘贴的文字不是一个条件。", "What was pasted is no condition.")} ${why}`);
  }

  #insert(tree: Json, after: number | null): void {
    const root = this.place.root();
    const item = readItem(tree);
    const beside = after !== null && after !== root.id && find(root, after);
    this.place.put(beside ? addedAfter(root, after, item) : added(root, root.id, item), item);
  }
}
