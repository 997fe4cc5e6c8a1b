/**
 * The audience as one line of text, beside the builder: shows what is built, takes what is typed.
 *
 *   <hy-audience-text data-read="…" data-values="…" data-inside="…" .words=${vocabulary} .text=${text} ?stale=${false}></hy-audience-text>
 *
 * Sends a "text:tree" event with detail {tree} when the text means an audience; what it cannot read, it marks at its words.
 * While typing it offers what may stand next: arrows walk, Enter or Tab takes, Escape closes, Ctrl Space opens. As long as
 * an input method is composing, keys are its own.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { type Completion, completion, quotedValue } from "../audience/completing";
import { stepped } from "../audience/listbox";
import { cut, type TextProblem } from "../audience/marks";
import { Server } from "../audience/server";
import { optionId, optionsView, showOption } from "../audience/views/options";
import type { Named, Vocabulary } from "../audience/vocabulary";
import { say } from "../words";

const WAIT_MS = 400;
const VALUES_MS = 150;
const LIST = "ab-text-options";
const OPEN = "hongyan-audience-text"; // whoever writes text wants it open on the next page too

class HyAudienceText extends LitElement {
  static override properties = {
    text: { attribute: false },
    stale: { attribute: false },
    problems: { state: true },
    busy: { state: true },
    words: { attribute: false },
    offer: { state: true },
    at: { state: true },
  };
  declare words: Vocabulary | null;
  declare offer: Completion | null;
  declare at: number;
  declare text: string;
  declare stale: boolean;
  declare problems: TextProblem[];
  declare busy: boolean;
  #server = new Server(this);
  #typed = "";
  #timer = 0;
  #request: AbortController | null = null;
  #asking: AbortController | null = null;
  #valuesTimer = 0;
  #caret: number | null = null;

  constructor() {
    super();
    this.words = this.offer = null;
    this.at = 0;
    this.text = "";
    this.stale = this.busy = false;
    this.problems = [];
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    this.#asking?.abort();
    window.clearTimeout(this.#timer);
    window.clearTimeout(this.#valuesTimer);
  }

  /** What is built appears here, but never under the hands of somebody typing. */
  protected override willUpdate(changes: PropertyValues<this>): void {
    const area = this.querySelector("textarea");
    if (!changes.has("text") || (area && area === document.activeElement)) return;
    this.#typed = this.text;
    this.problems = [];
  }

  protected override render(): TemplateResult {
    const wrong = this.problems.length > 0;
    const options = this.offer?.options ?? [];
    const open = options.length > 0;
    return html`<details class="ab-text-form" ?open=${localStorage.getItem(OPEN) === "1"} @toggle=${(event: Event) => this.#toggled(event)}>
      <summary>${say("以文字编写", "As text")}</summary>
      <div class="ab-text-box ${this.stale && !wrong ? "ab-stale" : ""}">
        <div class="ab-text-back mono" aria-hidden="true">${cut(this.#typed, this.problems).map((piece) =>
          piece.wrong ? html`<mark>${piece.text || " "}</mark>` : piece.text,
        )}${"\n"}</div>
        <textarea rows="3" spellcheck="false" autocapitalize="off" autocomplete="off" class="mono" .value=${this.#typed}
          aria-label=${say("受众的文字写法", "The audience as text")} aria-invalid=${wrong ? "true" : "false"} aria-describedby="ab-text-problems"
          aria-autocomplete="list" aria-haspopup="listbox" aria-controls=${open ? LIST : nothing} aria-activedescendant=${open ? optionId(LIST, this.at) : nothing}
          placeholder=${'city = "上海" and did("email_opened") >= 3 in 90d'}
          @input=${(event: InputEvent) => this.#input((event.target as HTMLTextAreaElement).value, event.isComposing)}
          @compositionend=${() => this.#complete()} @keydown=${(event: KeyboardEvent) => this.#key(event)} @click=${() => this.#close()} @blur=${() => this.#close()}></textarea>
        ${open ? html`<div class="ab-panel ab-panel-text">${optionsView(LIST, say("接下来可以写", "What may stand next"), options, this.at, "", (option) => this.#take(option))}</div>` : nothing}
      </div>
      <p class="visually-hidden" role="status">${open ? say(`${options.length} 个建议`, `${options.length} suggestions`) : ""}</p>
      <div id="ab-text-problems" role=${wrong ? "alert" : nothing}>${this.problems.map(
        (problem) => html`<p class="ab-wrong"><button type="button" class="ab-goto" @click=${() => this.#show(problem)}>${this.#words(problem)}</button> ${problem.message}</p>`,
      )}</div>
      <p class="muted small">${
        this.busy
          ? say("正在读取…", "Reading…")
          : say("与上面的条件是同一回事：改哪一边，另一边随之改变。可以复制、保存、做版本管理。", "The same as the conditions above: change either, the other follows. It can be copied, kept and versioned.")
      }</p>
    </details>`;
  }

  #toggled(event: Event): void {
    localStorage.setItem(OPEN, (event.target as HTMLDetailsElement).open ? "1" : "0");
  }

  #words(problem: TextProblem): string {
    const words = Array.from(this.#typed).slice(problem.start, problem.end).join("");
    return words ? `“${words.length > 40 ? `${words.slice(0, 40)}…` : words}”` : say("此处", "Here");
  }

  #show(problem: TextProblem): void {
    const area = this.querySelector("textarea");
    const units = (end: number) => Array.from(this.#typed).slice(0, end).join("").length;
    area?.focus();
    area?.setSelectionRange(units(problem.start), units(problem.end));
  }

  // ——— what may stand next

  /** What fits at the cursor; real values a little later, for they are asked of the server. asked: by its key. */
  #complete(asked = false): void {
    const area = this.querySelector("textarea");
    this.#asking?.abort();
    window.clearTimeout(this.#valuesTimer);
    if (!area || !this.words || area.selectionStart !== area.selectionEnd) return this.#close();
    const found = completion(area.value, area.selectionStart, this.words);
    this.at = 0;
    this.offer = found && (found.typed || asked || found.start > 0) ? found : null;
    if (this.offer?.source) this.#valuesTimer = window.setTimeout(() => void this.#values(found as Completion), VALUES_MS);
  }

  async #values(offer: Completion): Promise<void> {
    if (!offer.source) return;
    const request = new AbortController();
    this.#asking = request;
    try {
      const found = await this.#server.values(offer.source, offer.typed, request.signal);
      if (request.signal.aborted || this.offer !== offer) return;
      const options = found.map((one): Named => ({ ...one, value: quotedValue(one.value) }));
      this.offer = { ...offer, options };
    } catch {
      // A help only: without it one types.
    }
  }

  #close(): void {
    this.#asking?.abort();
    window.clearTimeout(this.#valuesTimer);
    this.offer = null;
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const options = this.offer?.options ?? [];
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      return this.#complete(true);
    }
    if (options.length === 0) return;
    const option = options[this.at];
    if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && option) {
      event.preventDefault();
      this.#take(option);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    } else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) this.#close();
    else {
      const next = stepped(this.at, options.length, event.key);
      if (next !== this.at) event.preventDefault();
      this.at = next;
    }
  }

  /** What begins a call or a comparison leads on to what may stand in it. */
  #take({ value }: Named): void {
    const area = this.querySelector("textarea");
    if (!area || !this.offer) return;
    const { start, end } = this.offer;
    const text = area.value.slice(0, start) + value + area.value.slice(end);
    this.#caret = start + value.length;
    this.offer = null;
    this.#input(text, true);
  }

  protected override updated(): void {
    const area = this.querySelector("textarea");
    if (this.#caret !== null && area) {
      const caret = this.#caret;
      this.#caret = null;
      area.focus();
      area.setSelectionRange(caret, caret);
      this.#complete();
    }
    if (this.offer) showOption(this);
  }

  /** composing: an input method has not finished its word, or the cursor is still to be placed. */
  #input(text: string, composing: boolean): void {
    this.#typed = text;
    if (!composing) this.#complete();
    this.problems = [];
    this.busy = true;
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    this.#timer = window.setTimeout(() => void this.#ask(text), WAIT_MS);
    this.dispatchEvent(new CustomEvent("text:typing"));
    this.requestUpdate();
  }

  async #ask(text: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    try {
      const { tree, problems } = await this.#server.read(text, request.signal);
      this.problems = problems;
      if (tree) this.dispatchEvent(new CustomEvent("text:tree", { detail: { tree } }));
      else this.dispatchEvent(new CustomEvent("text:wrong"));
    } catch {
      if (request.signal.aborted) return; // newer words are on their way
      const message = say("暂时无法读取，请稍后再试。", "It could not be read right now. Please try again.");
      this.problems = [{ start: 0, end: 0, message }];
    }
    this.busy = false;
  }
}

if (!customElements.get("hy-audience-text")) customElements.define("hy-audience-text", HyAudienceText);
