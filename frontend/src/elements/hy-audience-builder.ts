/**
 * Builds an audience: nested groups of conditions, with the exact count, people and the sentence while editing.
 *
 *   {% include "audiences/builder.html" with name="audience" tree=tree_json %}
 *
 * writes   <hy-audience-builder data-vocabulary="…" data-preview="…" data-values="…" data-read="…" data-inside="…">
 *            <input type="hidden" name="audience" value='{"all": […]}'></hy-audience-builder>
 *
 * The hidden field always holds the tree as JSON (empty while nothing is chosen). Every change sends a bubbling
 * "audience:change" event with detail {tree, count}; count is null until the count of this very tree is known.
 * The tree and its changes are in ../audience, its views in ../audience/views.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { type Act, actOf, acted, beside } from "../audience/acts";
import { Asking } from "../audience/asking";
import { Carrying } from "../audience/carrying";
import { Dragging } from "../audience/drag";
import { effects, emptiedBy } from "../audience/effect";
import { History } from "../audience/history";
import { added, changed, find, placed } from "../audience/moves";
import { Server } from "../audience/server";
import {
  type Condition,
  emptyGroup,
  type Group,
  type Head,
  type Item,
  type Json,
  placeOf,
  read,
  readItem,
  type State,
  write,
} from "../audience/tree";
import type { Editing } from "../audience/views/editing";
import { emptyView } from "../audience/views/empty";
import { type Building, groupView } from "../audience/views/part";
import { sideView } from "../audience/views/side";
import { shortcutRows, toolbarView } from "../audience/views/toolbar";
import { propertyField, start, type Vocabulary } from "../audience/vocabulary";
import { say } from "../words";
import "./hy-audience-picker";
import "./hy-audience-value";

const WAIT_MS = 250; // long enough to finish a word, short enough to feel live
const TYPING_MS = 1000; // what is typed without a longer pause is one step of undo

class HyAudienceBuilder extends LitElement {
  #field: HTMLInputElement | null = null;
  #words: Vocabulary | null = null;
  #server = new Server(this);
  #history = new History<State>({ everyone: false, root: emptyGroup() });
  #asking = new Asking((tree, want, signal) => this.#server.ask(tree, want, signal), () => this.#answered());
  #carrying = new Carrying(
    {
      root: () => this.#history.now.root,
      at: () => this.#at,
      textOf: (id) => this.#textOf(id),
      put: (root, item) => this.#put(root, item.id, true),
      tell: (text) => this.#tell(text),
    },
    this.#server,
  );
  #failed = "";
  #said = "";
  #lastTyped = 0;
  #focus: { id: number; grip: boolean } | null = null;
  #at: number | null = null;

  constructor() {
    super();
    new Dragging(this, (id, into, index) => this.#root(placed(this.#history.now.root, id, into, index)));
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override connectedCallback(): void {
    this.#field ??= this.querySelector("input[type=hidden]");
    super.connectedCallback();
    document.addEventListener("keydown", this.#keys);
    document.addEventListener("paste", this.#pasted);
    document.addEventListener("shortcuts:list", this.#shortcuts);
    this.addEventListener("focusin", this.#stood);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#keys);
    document.removeEventListener("paste", this.#pasted);
    document.removeEventListener("shortcuts:list", this.#shortcuts);
    this.#asking.stop();
  }

  async #load(): Promise<void> {
    try {
      this.#words = await this.#server.vocabulary();
      this.#history = new History(this.#initial());
      this.#asking.ask(write(this.#history.now).tree, 0);
    } catch {
      this.#failed = say(
        "条件列表没有加载成功，请刷新页面。",
        "The conditions could not be loaded. Please reload the page.",
      );
    }
    this.requestUpdate();
  }

  #initial(): State {
    const text = this.#field?.value ?? "";
    try {
      return read(text ? (JSON.parse(text) as Json) : null);
    } catch {
      return read(text); // not JSON at all: shown, not thrown away
    }
  }

  // ——— changing

  #set(state: State, typing = false): void {
    const now = Date.now();
    if (typing && now - this.#lastTyped < TYPING_MS) this.#history.replace(state);
    else this.#history.push(state);
    this.#lastTyped = typing ? now : 0;
    this.#changed();
  }

  #root(root: Group, typing = false): void {
    if (root !== this.#history.now.root) this.#set({ everyone: false, root }, typing);
  }

  #changed(): void {
    const { tree } = write(this.#history.now);
    if (this.#field) this.#field.value = tree === null ? "" : JSON.stringify(tree);
    this.#asking.ask(tree, WAIT_MS);
    this.#answered();
  }

  #answered(): void {
    this.requestUpdate();
    const detail = { tree: write(this.#history.now).tree, count: this.#asking.size?.count ?? null };
    const told = JSON.stringify(detail);
    if (told === this.#told) return;
    this.#told = told;
    this.dispatchEvent(new CustomEvent("audience:change", { bubbles: true, detail }));
  }

  #told = "";

  #step(way: "undo" | "redo"): void {
    this.#history[way]();
    this.#lastTyped = 0;
    this.#changed();
  }

  #act(id: number, act: Act): void {
    const { root } = this.#history.now;
    if (act === "copy" || act === "cut") this.#carrying.copy(id);
    if (act === "paste") return this.#carrying.pasteAfter(id);
    if (act === "copy") return;
    const done = acted(root, id, act);
    this.#put(done.root, done.at, true);
  }

  /** The new tree, and the part to stand on: on its handle, or in what is to be filled in. */
  #put(root: Group, at: number | null, grip: boolean): void {
    this.#focus = at === null ? null : { id: at, grip };
    this.#root(root);
  }

  #tell(text: string): void {
    this.#said = text;
    this.requestUpdate();
  }

  /** Only of the tree that was answered for: the places of another one are others. */
  #textOf(id: number): string | undefined {
    if (this.#asking.phase !== "known") return undefined;
    return this.#asking.words.texts?.[write(this.#history.now).paths.get(id) ?? ""];
  }

  #add(group: number, beginning: string): void {
    const words = this.#words as Vocabulary;
    const [head = "", ...rest] = beginning.split(":");
    if (head === "group") return this.#addGroup(group);
    const item = start(head as Head, words, rest.join(":"));
    this.#put(added(this.#history.now.root, group, item), item.id, false);
  }

  /** A group is of the other kind than the one it stands in, and begins with a condition: empty ones say nothing. */
  #addGroup(into: number): void {
    const words = this.#words as Vocabulary;
    const outer = find(this.#history.now.root, into);
    const inner = emptyGroup(outer?.kind === "group" && outer.mode === "any" ? "all" : "any");
    const item = words.tags.length ? start("tag", words) : start("field", words);
    this.#put(added(this.#history.now.root, into, { ...inner, items: [item] }), item.id, false);
  }

  // ——— keys

  /** Is the builder in use? Nothing focused counts, when it was used last: a removed card takes the focus with it. */
  #here(): boolean {
    const active = document.activeElement;
    return this.contains(active) || ((active === document.body || active === null) && this.#at !== null);
  }

  #stood = (event: FocusEvent): void => {
    const part = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-item]") : null;
    this.#at = part ? Number(part.dataset.item) : this.#history.now.root.id;
  };

  #pasted = (event: ClipboardEvent): void => {
    if (this.#here() && !isText(event.target)) this.#carrying.pasted(event);
  };

  #keys = (event: KeyboardEvent): void => {
    if (!this.#here() || event.defaultPrevented) return;
    const { target } = event;
    const inText = target instanceof Element && target.closest("hy-audience-text, .ab-raw-edit") !== null;
    const control = event.ctrlKey || event.metaKey;
    if (control && !inText && ["z", "y"].includes(event.key.toLowerCase())) {
      event.preventDefault();
      return this.#step(event.shiftKey || event.key.toLowerCase() === "y" ? "redo" : "undo");
    }
    const part = target instanceof Element ? target.closest<HTMLElement>("[data-item]") : null;
    if (!part || inText) return;
    const id = Number(part.dataset.item);
    const grip = target instanceof Element && target.matches("[data-grip]");
    const act = actOf(event, !grip);
    if (act && id !== this.#history.now.root.id) {
      event.preventDefault();
      return this.#act(id, act);
    }
    if (grip && !event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      const next = beside(this.#history.now.root, id, event.key === "ArrowUp" ? -1 : 1);
      event.preventDefault();
      if (next !== undefined) this.querySelector<HTMLElement>(`[data-grip="${next}"]`)?.focus();
    }
  };

  /** The sheet of shortcuts asks everybody on the page. */
  #shortcuts = (event: Event): void => {
    (event as CustomEvent<[string, string][]>).detail.push(...shortcutRows());
  };

  // ——— showing

  protected override render(): TemplateResult | typeof nothing {
    if (!this.#words)
      return this.#failed
        ? html`<p class="ab-wrong" role="alert">${this.#failed}</p>`
        : html`<div class="ab"><div class="ab-edit"><div class="skeleton ab-skeleton"></div></div><div class="ab-side"><div class="skeleton ab-skeleton"></div></div></div>`;
    const state = this.#history.now;
    const empty = !state.everyone && state.root.items.length === 0;
    const building = state.everyone ? null : this.#building(state);
    return html`<div class="ab">
      <div class="ab-edit">
        ${toolbarView({
          everyone: state.everyone,
          choose: (everyone) => this.#set({ ...state, everyone }),
          canUndo: this.#history.canUndo,
          canRedo: this.#history.canRedo,
          step: (way) => this.#step(way),
        })}
        ${building ? groupView(state.root, building, true) : html`<p class="muted">${say("不加任何条件：包括每一位联系人。", "No condition: every contact is included.")}</p>`}
        ${empty ? emptyView(this.#words.examples, (example) => this.#set(read(example.tree))) : nothing}
        <hy-audience-text data-read=${this.dataset.read ?? ""} data-values=${this.dataset.values ?? ""} data-inside=${this.dataset.inside ?? ""}
          .words=${this.#words} .text=${this.#asking.text} .stale=${this.#asking.phase === "wrong"}
          @text:typing=${() => this.#reading(true)} @text:tree=${(event: CustomEvent<{ tree: Json }>) => this.#read(event.detail.tree)}></hy-audience-text>
        <p class="visually-hidden" role="status">${this.#said}</p>
      </div>
      ${sideView(this.#asking, this.#unread, building ? emptiedBy(state, building.effects) : 0)}
    </div>`;
  }

  /** Text that is not read yet: the count is of the conditions above, and says so. */
  #unread = false;

  #reading(unread: boolean): void {
    this.#unread = unread;
    this.requestUpdate();
  }

  #read(tree: Json): void {
    this.#unread = false;
    if (JSON.stringify(tree) === JSON.stringify(write(this.#history.now).tree)) return this.requestUpdate();
    this.#set(read(tree), true);
  }

  #building(state: State): Building {
    const { paths } = write(state);
    const { words } = this.#asking;
    return {
      words: this.#words as Vocabulary,
      paths,
      problems: words.problems,
      effects: effects(state, paths, this.#asking.parts, this.#asking.size?.total ?? 0),
      editing: (item) => this.#editing(item, paths),
      change: (id, change) => this.#root(changed(state.root, id, change)),
      act: (id, act) => this.#act(id, act),
      replace: (id, tree) => this.#root(changed(this.#history.now.root, id, (old) => replaced(old, tree))),
      add: (group, beginning) => this.#add(group, beginning),
    };
  }

  #editing(item: Condition, paths: Map<number, string>): Editing {
    const path = placeOf(item, paths);
    const words = this.#words as Vocabulary;
    // While an answer is on its way the last problems stay, unless they speak of what was changed since.
    const problems = this.#asking.words.problems.filter((problem) => problem.path === path || problem.path.startsWith(`${path}/`));
    return {
      words,
      path,
      not: item.not,
      turn: () => this.#act(item.id, "negate"),
      problems: this.#asking.phase === "asking" ? [] : problems,
      change: (body, typing) => this.#root(changed(this.#history.now.root, item.id, (old) => (old.kind === "condition" ? { ...old, body } : old)), typing),
      values: (source) => (text, signal) => this.#server.values(source, text, signal),
      properties: (event) => {
        const known = words.events.find(({ value }) => value === event)?.properties;
        return known ? known.map(({ key, kinds }) => propertyField(key, kinds)) : null;
      },
    };
  }

  protected override updated(): void {
    if (!this.#focus) return;
    const { id, grip } = this.#focus;
    this.#focus = null;
    const part = this.querySelector(`[data-item="${id}"]`);
    const target = grip ? part?.querySelector<HTMLElement>("[data-grip]") : null;
    (target ?? firstInput(part))?.focus();
    part?.scrollIntoView({ block: "nearest" });
  }
}

/** What one fills in first: a value; where there is none, what is to be chosen. */
function firstInput(part: Element | null): HTMLElement | null {
  const line = part?.querySelector(".ab-line");
  const inputs = line?.querySelectorAll<HTMLElement>("input, hy-audience-value, hy-audience-picker, select");
  return line?.querySelector<HTMLElement>("hy-audience-value, input") ?? inputs?.[inputs.length - 1] ?? null;
}

function replaced(old: Item, tree: Json): Item {
  return { ...readItem(tree), id: old.id, not: old.not };
}

function isText(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, [contenteditable=true]") !== null;
}

if (!customElements.get("hy-audience-builder")) customElements.define("hy-audience-builder", HyAudienceBuilder);
