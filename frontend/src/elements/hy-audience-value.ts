/**
 * A text field that offers values which really occur, the commonest first; sends "value" with detail {value, typing}.
 *
 *   <hy-audience-value .label=${"City"} .value=${"上海"} .ask=${(text, signal) => …} ?coded=${false}></hy-audience-value>
 *
 * Whatever is typed is the value. Where values are codes that people know by names (`coded`), the name is shown and typed,
 * and the code is the value. With `adds` it takes one value after the other and keeps itself empty.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { stepped } from "../audience/listbox";
import { optionId, optionsView, showOption } from "../audience/views/options";
import type { Named } from "../audience/vocabulary";
import { say } from "../words";

export type Ask = (text: string, signal: AbortSignal) => Promise<Named[]>;

const WAIT_MS = 120;
let made = 0;

class HyAudienceValue extends LitElement {
  static override properties = {
    label: { attribute: false },
    value: { attribute: false },
    ask: { attribute: false },
    coded: { attribute: false },
    adds: { attribute: false },
    wrong: { attribute: false },
    options: { state: true },
    open: { state: true },
    at: { state: true },
    shown: { state: true },
  };
  declare label: string;
  declare value: string;
  declare ask: Ask | null;
  declare coded: boolean;
  declare adds: boolean;
  declare wrong: boolean;
  declare options: Named[];
  declare open: boolean;
  declare at: number;
  declare shown: string;
  #list = `ab-value-${++made}`;
  #timer = 0;
  #request: AbortController | null = null;

  constructor() {
    super();
    this.label = this.value = this.shown = "";
    this.ask = null;
    this.coded = this.adds = this.wrong = this.open = false;
    this.options = [];
    this.at = -1;
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override focus(): void {
    void this.updateComplete.then(() => this.querySelector("input")?.focus());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    window.clearTimeout(this.#timer);
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (!changes.has("value") || this.adds) return;
    if (this.coded && this.value && this.#codeOf(this.shown) === this.value) return; // its name stands there already
    this.shown = this.options.find((option) => this.coded && option.value === this.value)?.label ?? this.value;
    if (this.coded && this.value) void this.#name(this.value);
  }

  protected override render(): TemplateResult {
    const open = this.open && this.options.length > 0;
    return html`<input type="text" class=${this.adds ? "ab-add" : "ab-text"} role="combobox" aria-label=${this.label} aria-expanded=${open}
        aria-controls=${open ? this.#list : nothing} aria-autocomplete="list" aria-invalid=${this.wrong ? "true" : "false"}
        aria-activedescendant=${open && this.at >= 0 ? optionId(this.#list, this.at) : nothing} autocomplete="off" spellcheck="false"
        placeholder=${this.adds ? say("添加，按回车", "Add, press Enter") : say("值", "Value")} .value=${this.shown}
        @focus=${() => this.#look("", 0)} @click=${() => this.#reopen()} @input=${(event: Event) => this.#typed((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => this.#key(event)} @blur=${() => this.#left()}>
      ${
        open
          ? html`<div class="ab-panel ab-panel-value">${optionsView(this.#list, this.label, this.options, this.at, this.value, (option) => this.#pick(option))}</div>`
          : nothing
      }`;
  }

  protected override updated(): void {
    if (this.open && this.at >= 0) showOption(this);
  }

  #reopen(): void {
    if (this.options.length > 0) this.open = true;
  }

  #typed(text: string): void {
    this.shown = text;
    this.at = -1;
    if (!this.adds) this.#send(this.coded ? this.#codeOf(text) : text, true);
    this.#look(text, WAIT_MS);
  }

  #codeOf(text: string): string {
    return this.options.find((option) => option.label === text)?.value ?? text;
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter") {
      event.preventDefault(); // no form is sent from within the builder
      const option = this.open ? this.options[this.at] : undefined;
      if (option) this.#pick(option);
      else if (this.adds) this.#take();
      this.open = false;
    } else if (event.key === "Escape" && this.open) {
      event.stopPropagation();
      this.open = false;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.open = true;
      this.at = stepped(this.at, this.options.length, event.key);
    }
  }

  #take(): void {
    const text = this.shown.trim();
    this.shown = "";
    if (text) this.#send(this.coded ? this.#codeOf(text) : text, false);
  }

  #left(): void {
    this.open = false;
    if (this.adds) this.#take();
  }

  #pick(option: Named): void {
    this.open = false;
    this.at = -1;
    this.shown = this.adds ? "" : this.coded ? option.label : option.value;
    this.#send(option.value, false);
  }

  #send(value: string, typing: boolean): void {
    if (!this.adds) this.value = value;
    this.dispatchEvent(new CustomEvent("value", { detail: { value, typing } }));
  }

  #look(text: string, wait: number): void {
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    if (!this.ask) return;
    this.#timer = window.setTimeout(() => void this.#search(text), wait);
  }

  async #search(text: string): Promise<void> {
    const found = await this.#asked(text);
    if (!found) return;
    this.options = found;
    this.at = -1;
    this.open = this.contains(document.activeElement);
    if (this.coded && !this.adds && text) {
      const value = this.#codeOf(this.shown);
      if (value !== this.value) this.#send(value, true);
    }
  }

  /** The name of a code that was stored. */
  async #name(value: string): Promise<void> {
    const found = await this.#asked(value);
    const label = found?.find((option) => option.value === value)?.label;
    if (label && this.value === value) this.shown = label;
  }

  async #asked(text: string): Promise<Named[] | null> {
    if (!this.ask) return null;
    const request = new AbortController();
    this.#request?.abort();
    this.#request = request;
    try {
      return await this.ask(text, request.signal);
    } catch {
      return null; // suggestions are a help; without them one types
    }
  }
}

if (!customElements.get("hy-audience-value")) customElements.define("hy-audience-value", HyAudienceValue);
