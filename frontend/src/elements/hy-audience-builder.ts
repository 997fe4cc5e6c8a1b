/**
 * Builds an audience: nested and/or groups of conditions, with the exact count, people and the sentence while editing.
 *
 *   {% include "audiences/builder.html" with name="audience" tree=tree_json %}
 *
 * writes   <hy-audience-builder data-vocabulary="…" data-preview="…" data-values="…" data-inside="…">
 *            <input type="hidden" name="audience" value='{"all": […]}'></hy-audience-builder>
 *
 * The hidden field always holds the tree as JSON (empty while nothing is chosen). Every change sends a bubbling
 * "audience:change" event with detail {tree, count}. Ctrl+Z / ⌘Z undoes outside text fields; Alt+↑ and Alt+↓ move a condition.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { conditionFields, type Editing } from "../audience/fields";
import {
  added,
  type Condition,
  changed,
  emptyGroup,
  type Group,
  type Head,
  History,
  type Item,
  itemAt,
  type Json,
  moved,
  read,
  removed,
  type State,
  write,
} from "../audience/tree";
import { type Field, GROUPS, type Named, start, type Vocabulary } from "../audience/vocabulary";
import { locale, say } from "../words";

interface Preview {
  problems: { path: string; code: string; message: string }[];
  count?: number;
  total?: number;
  sentence?: string;
  text?: string;
  people?: { name: string; detail: string; url: string }[];
}

type Parts = Record<string, { count: number; sentence: string }>;

const WAIT_MS = 250; // long enough to finish a word, short enough to feel live

class HyAudienceBuilder extends LitElement {
  #field: HTMLInputElement | null = null;
  #words: Vocabulary | null = null;
  #history = new History<State>({ everyone: false, root: emptyGroup() });
  #preview: Preview | null = null;
  #parts: Parts = {};
  #busy = false;
  #failed = "";
  #timer = 0;
  #request: AbortController | null = null;
  #valueRequest: AbortController | null = null;
  #values = new Map<string, Named[]>();
  #lastTyped = 0;
  #focus: number | null = null;

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override connectedCallback(): void {
    this.#field ??= this.querySelector("input[type=hidden]");
    super.connectedCallback();
    this.addEventListener("keydown", this.#keys);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    window.clearTimeout(this.#timer);
  }

  async #load(): Promise<void> {
    try {
      const url = new URL(this.dataset.vocabulary ?? "", location.href);
      if (this.dataset.inside) url.searchParams.set("inside", this.dataset.inside);
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      this.#words = (await answer.json()) as Vocabulary;
      this.#history = new History(this.#initial());
      this.#ask(0);
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
    if (!text) return { everyone: false, root: emptyGroup() };
    try {
      return read(JSON.parse(text) as Json);
    } catch {
      return { everyone: false, root: emptyGroup() };
    }
  }

  // ——— changing

  #set(state: State, typing = false): void {
    const now = Date.now();
    if (typing && now - this.#lastTyped < 1000) this.#history.replace(state);
    else this.#history.push(state);
    this.#lastTyped = typing ? now : 0;
    this.#changed();
  }

  #root(root: Group, typing = false): void {
    this.#set({ everyone: false, root }, typing);
  }

  #changed(): void {
    const { tree } = write(this.#history.now);
    if (this.#field) this.#field.value = tree === null ? "" : JSON.stringify(tree);
    this.#parts = {};
    this.#ask(WAIT_MS);
    this.requestUpdate();
    this.#announce();
  }

  #announce(): void {
    const detail = { tree: write(this.#history.now).tree, count: this.#preview?.count ?? null };
    this.dispatchEvent(new CustomEvent("audience:change", { bubbles: true, detail }));
  }

  #keys = (event: KeyboardEvent): void => {
    const typing = event.target instanceof HTMLInputElement && event.target.type === "text";
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      if (event.shiftKey) this.#history.redo();
      else this.#history.undo();
      this.#changed();
    }
    const row =
      event.altKey && event.target instanceof Element ? event.target.closest<HTMLElement>("[data-item]") : null;
    if (row && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#root(moved(this.#history.now.root, Number(row.dataset.item), event.key === "ArrowUp" ? -1 : 1));
    }
  };

  // ——— asking the server

  #ask(wait: number): void {
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    const { tree } = write(this.#history.now);
    if (tree === null) {
      this.#preview = null;
      this.#busy = false;
      return;
    }
    this.#busy = true;
    this.#timer = window.setTimeout(() => void this.#fetch(JSON.stringify(tree)), wait);
  }

  async #fetch(body: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    try {
      this.#preview = (await this.#post(body, request.signal, false)) as Preview;
      this.#failed = "";
      this.#busy = false;
      this.requestUpdate();
      this.#announce();
      if (this.#preview.problems.length) return;
      const answer = (await this.#post(body, request.signal, true)) as { parts?: Parts };
      this.#parts = answer.parts ?? {};
    } catch {
      if (request.signal.aborted) return; // a newer question is on its way
      this.#failed = say("人数暂时算不出来，请稍后再试。", "The count is not available right now. Please try again.");
      this.#busy = false;
    }
    this.requestUpdate();
  }

  async #post(body: string, signal: AbortSignal, parts: boolean): Promise<unknown> {
    const url = new URL(this.dataset.preview ?? "", location.href);
    if (this.dataset.inside) url.searchParams.set("inside", this.dataset.inside);
    if (parts) url.searchParams.set("parts", "1");
    const token = this.closest("form")?.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
    const answer = await fetch(url, {
      method: "POST",
      body,
      signal,
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async #suggest(field: Field, text: string): Promise<void> {
    if (!field.suggests) return;
    this.#valueRequest?.abort();
    const request = new AbortController();
    this.#valueRequest = request;
    const url = new URL(this.dataset.values ?? "", location.href);
    url.searchParams.set("field", field.key);
    url.searchParams.set("q", text);
    try {
      const answer = await fetch(url, { signal: request.signal });
      if (!answer.ok) return;
      this.#values.set(field.key, ((await answer.json()) as { values: Named[] }).values);
      this.requestUpdate();
    } catch {
      // Suggestions are a help; without them one types.
    }
  }

  // ——— showing

  protected override render(): TemplateResult | typeof nothing {
    if (!this.#words)
      return this.#failed ? html`<p class="ab-wrong" role="alert">${this.#failed}</p>` : this.#skeleton();
    const state = this.#history.now;
    return html`<div class="ab">
      <div class="ab-edit">
        <div class="ab-top">
          <span class="btn-group" role="group" aria-label=${say("谁", "Who")}>
            <button type="button" class="btn btn-small" aria-pressed=${state.everyone} @click=${() => this.#set({ ...state, everyone: true })}>${say("所有联系人", "Everyone")}</button>
            <button type="button" class="btn btn-small" aria-pressed=${!state.everyone} @click=${() => this.#set({ ...state, everyone: false })}>${say("满足条件的人", "People who match")}</button>
          </span>
          <span class="end line">
            <button type="button" class="btn btn-small btn-quiet" ?disabled=${!this.#history.canUndo} @click=${() => this.#step("undo")}>${say("撤销", "Undo")}</button>
            <button type="button" class="btn btn-small btn-quiet" ?disabled=${!this.#history.canRedo} @click=${() => this.#step("redo")}>${say("重做", "Redo")}</button>
          </span>
        </div>
        ${
          state.everyone
            ? html`<p class="muted">${say("不加任何条件：包括每一位联系人。", "No condition: every contact is included.")}</p>`
            : this.#groupView(state.root, true)
        }
        <hy-audience-text data-read=${this.dataset.read ?? ""} data-inside=${this.dataset.inside ?? ""}
          .text=${this.#preview?.text ?? ""} @text:tree=${(event: CustomEvent<{ tree: Json }>) => this.#set(read(event.detail.tree), true)}></hy-audience-text>
      </div>
      ${this.#side(state)}
    </div>`;
  }

  protected override updated(): void {
    if (this.#focus === null) return;
    const row = this.querySelector(`[data-item="${this.#focus}"]`);
    this.#focus = null;
    row?.querySelector<HTMLElement>("select, input")?.focus();
  }

  #skeleton(): TemplateResult {
    return html`<div class="ab"><div class="ab-edit"><div class="skeleton ab-skeleton"></div></div><div class="ab-side"><div class="skeleton ab-skeleton"></div></div></div>`;
  }

  #step(way: "undo" | "redo"): void {
    this.#history[way]();
    this.#changed();
  }

  #groupView(group: Group, root: boolean): TemplateResult {
    const joined = group.mode === "all" ? say("且", "and") : say("或", "or");
    return html`<fieldset class="ab-group ${root ? "ab-root" : ""}" data-item=${group.id}>
      <legend class="visually-hidden">${group.mode === "all" ? say("满足全部条件", "All conditions") : say("满足任一条件", "Any condition")}</legend>
      <div class="ab-group-head">
        <select aria-label=${say("如何组合", "How to combine")} .value=${this.#groupMode(group)} @change=${(event: Event) => this.#setMode(group, (event.target as HTMLSelectElement).value)}>
          <option value="all">${say("满足全部", "all of these")}</option>
          <option value="any">${say("满足任一", "any of these")}</option>
          <option value="not-any">${say("一个也不满足", "none of these")}</option>
          <option value="not-all">${say("不全满足", "not all of these")}</option>
        </select>
        ${this.#note(group)}
        ${root ? nothing : this.#removeButton(group, say("删除这一组", "Remove this group"))}
      </div>
      <ol class="ab-items">${group.items.map(
        (item, index) =>
          html`<li class="ab-item">${index ? html`<span class="ab-joined" aria-hidden="true">${joined}</span>` : nothing}${
            item.kind === "group" ? this.#groupView(item, false) : this.#conditionView(item)
          }</li>`,
      )}</ol>
      ${this.#adder(group, root)}
    </fieldset>`;
  }

  #groupMode(group: Group): string {
    return group.not ? `not-${group.mode}` : group.mode;
  }

  #setMode(group: Group, value: string): void {
    const mode = value.endsWith("any") ? "any" : "all";
    this.#change(group.id, (item) => (item.kind === "group" ? { ...item, mode, not: value.startsWith("not-") } : item));
  }

  #conditionView(item: Condition): TemplateResult {
    const problem = this.#problemOf(item);
    const words = this.#words as Vocabulary;
    const editing: Editing = {
      words,
      change: (body, typing) =>
        this.#change(item.id, (old) => (old.kind === "condition" ? { ...old, body } : old), typing),
      suggest: (field, text) => void this.#suggest(field, text),
      suggestions: (field) => this.#values.get(field.key) ?? [],
    };
    return html`<div class="ab-row ${problem ? "ab-row-wrong" : ""}" data-item=${item.id} role="group" aria-label=${say("条件", "Condition")}>
      <button type="button" class="ab-not" aria-pressed=${item.not} title=${say("取反：不满足这个条件的人", "Turn around: people for whom this does not hold")}
        @click=${() => this.#change(item.id, (old) => ({ ...old, not: !old.not }))}>${say("非", "not")}</button>
      <span class="ab-fields">${conditionFields(item, editing)}</span>
      ${this.#note(item)}
      ${this.#removeButton(item, say("删除这个条件", "Remove this condition"))}
      ${problem ? html`<p class="ab-wrong" role="alert">${problem}</p>` : nothing}
    </div>`;
  }

  #change(id: number, change: (item: Item) => Item, typing = false): void {
    this.#root(changed(this.#history.now.root, id, change), typing);
  }

  #removeButton(item: Item, name: string): TemplateResult {
    return html`<button type="button" class="btn btn-icon btn-small btn-quiet ab-remove" aria-label=${name} title=${name}
      @click=${() => this.#root(removed(this.#history.now.root, item.id))}>×</button>`;
  }

  /** How many people this part holds by itself. */
  #note(item: Item): TemplateResult | typeof nothing {
    const path = write(this.#history.now).paths.get(item.id);
    const part = path === undefined ? undefined : this.#parts[path];
    if (!part) return nothing;
    return html`<span class="ab-count" title=${say("单独满足这个条件的人数", "People who match this part by itself")}>${part.count.toLocaleString(locale)}</span>`;
  }

  #problemOf(item: Item): string {
    const { paths } = write(this.#history.now);
    const found = this.#preview?.problems.find((problem) => itemAt(paths, problem.path) === item.id);
    return found && !this.#busy ? found.message : "";
  }

  #adder(group: Group, root: boolean): TemplateResult {
    const words = this.#words as Vocabulary;
    const kinds: [Head, string, number][] = [
      ["tag", say("标签", "Tag"), words.tags.length],
      ["tag_group", say("标签组中的任一标签", "Any tag of a group"), words.tag_groups.length],
      ["list", say("名单", "List"), words.lists.length],
      ["audience", say("已保存的受众", "Saved audience"), words.audiences.length],
      ["consent", say("同意与订阅主题", "Consent and topics"), 1],
      ["event", say("做过或没做过某事", "Did or did not do"), words.events.length],
    ];
    return html`<div class="ab-add-row">
      <select aria-label=${say("添加条件", "Add a condition")} class="ab-adder" @change=${(event: Event) => this.#add(group, event.target as HTMLSelectElement)}>
        <option value="" selected>${say("＋ 添加条件…", "+ Add a condition…")}</option>
        <optgroup label=${say("行为与归属", "Behaviour and membership")}>
          ${kinds.filter(([, , size]) => size > 0).map(([head, text]) => html`<option value=${head}>${text}</option>`)}
        </optgroup>
        ${GROUPS.map(([key, text]) => {
          const fields = words.fields.filter((field) => field.group === key);
          return fields.length
            ? html`<optgroup label=${text}>${fields.map((field) => html`<option value="field:${field.key}">${field.label}</option>`)}</optgroup>`
            : nothing;
        })}
      </select>
      <button type="button" class="btn btn-small btn-quiet" @click=${() => this.#addGroup(group)}>${root ? say("添加一组", "Add a group") : say("添加下级组", "Add a group inside")}</button>
    </div>`;
  }

  #add(group: Group, select: HTMLSelectElement): void {
    const [head, ...rest] = select.value.split(":");
    select.value = "";
    if (!head) return;
    const item = start(head as Head, this.#words as Vocabulary, rest.join(":"));
    this.#focus = item.id;
    this.#root(added(this.#history.now.root, group.id, item));
  }

  #addGroup(group: Group): void {
    const words = this.#words as Vocabulary;
    const inner = emptyGroup(group.mode === "all" ? "any" : "all");
    const item = words.tags.length ? start("tag", words) : start("field", words);
    this.#focus = item.id;
    this.#root(added(this.#history.now.root, group.id, { ...inner, items: [item] }));
  }

  #side(state: State): TemplateResult {
    const found = this.#preview;
    const wrong = (found?.problems.length ?? 0) > 0;
    const empty = !state.everyone && state.root.items.length === 0;
    return html`<aside class="ab-side" aria-live="polite" aria-busy=${this.#busy}>
      ${this.#failed ? html`<p class="ab-wrong">${this.#failed}</p>` : nothing}
      ${empty ? html`<p class="muted">${say("添加第一个条件，这里会显示人数和几位联系人。", "Add a first condition; the count and some of the people appear here.")}</p>` : nothing}
      ${!empty && wrong && !this.#busy ? html`<p class="ab-wrong">${this.#rootProblem() || say("还有条件没有填完。", "Some conditions are not complete yet.")}</p>` : nothing}
      ${!empty && !wrong && found ? this.#result(found) : nothing}
      ${!empty && !found && this.#busy ? html`<div class="skeleton ab-skeleton"></div>` : nothing}
    </aside>`;
  }

  #rootProblem(): string {
    return this.#preview?.problems.find((problem) => problem.path === "")?.message ?? "";
  }

  #result(found: Preview): TemplateResult {
    const count = found.count ?? 0;
    const total = found.total ?? 0;
    const share = total ? (100 * count) / total : 0;
    const people = found.people ?? [];
    return html`<div class="ab-size ${this.#busy ? "ab-stale" : ""}">
        <b class="ab-number-big">${count.toLocaleString(locale)}</b>
        <span class="muted">${say(`人，占全部 ${total.toLocaleString(locale)} 人的`, `of ${total.toLocaleString(locale)} contacts,`)} ${share.toLocaleString(locale, { maximumFractionDigits: 1 })}%</span>
      </div>
      <p class="sentence">${found.sentence}</p>
      ${
        people.length
          ? html`<h3 class="ab-people-head">${say("其中几位", "Some of them")}</h3><ul class="ab-people">${people.map(
              (person) =>
                html`<li>${person.url ? html`<a href=${person.url} target="_blank" rel="noopener">${person.name}</a>` : person.name}<span class="muted small">${person.detail}</span></li>`,
            )}</ul>`
          : nothing
      }`;
  }
}

if (!customElements.get("hy-audience-builder")) customElements.define("hy-audience-builder", HyAudienceBuilder);
