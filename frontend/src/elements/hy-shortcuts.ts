import { isTyping } from "../typing";
import { say } from "../words";

const CHORD_MS = 1200;

/** The sheet behind `?`, and going to a room by g and its letter. Letters come from the rail's links. */
class HyShortcuts extends HTMLElement {
  #chordUntil = 0;
  #dialog: HTMLDialogElement | null = null;

  connectedCallback(): void {
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("click", (event) => {
      if ((event.target as Element).closest("[data-open-shortcuts]")) this.open();
    });
  }

  #key(event: KeyboardEvent): void {
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      this.open();
    } else if (event.key === "g") {
      this.#chordUntil = event.timeStamp + CHORD_MS; // when the key went down, however busy the page was
    } else if (event.timeStamp < this.#chordUntil) {
      this.#chordUntil = 0;
      document.querySelector<HTMLElement>(`[data-shortcut="g ${CSS.escape(event.key)}"]`)?.click();
    }
  }

  open(): void {
    this.#dialog ??= this.#build();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #build(): HTMLDialogElement {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "shortcuts-title");
    const body = document.createElement("div");
    body.className = "dialog-body";
    const title = document.createElement("h2");
    title.id = "shortcuts-title";
    title.textContent = say("键盘快捷键", "Keyboard shortcuts");
    body.append(title, this.#list());
    dialog.append(body);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    this.append(dialog);
    return dialog;
  }

  #list(): HTMLElement {
    const list = document.createElement("dl");
    list.className = "facts";
    const mac = navigator.userAgent.includes("Mac");
    const rows: [string, string][] = [
      [mac ? "⌘ K" : "Ctrl K", say("搜索或跳转", "Search or jump")],
      ["/", say("搜索", "Search")],
      ["?", say("显示本页", "Show this sheet")],
      ["j k", say("列表中下一项、上一项", "Next and previous item of a queue")],
      ["e", say("执行当前项的主要操作", "Main action of the item")],
      ["Esc", say("关闭", "Close")],
    ];
    for (const link of document.querySelectorAll<HTMLElement>("[data-shortcut]"))
      rows.push([link.dataset.shortcut ?? "", say("前往", "Go to ") + (link.textContent.trim() || link.title)]);
    for (const target of document.querySelectorAll<HTMLElement>("[data-hotkey]")) {
      const label = target.dataset.hotkeyLabel ?? target.getAttribute("aria-label") ?? "";
      const key = target.dataset.hotkey ?? "";
      const known = rows.findIndex(([keys]) => keys === key);
      if (known >= 0) rows[known] = [key, label];
      else if (!target.closest("[hidden]")) rows.push([key, label]);
    }
    // Elements with keys of their own (the audience builder) add them.
    document.dispatchEvent(new CustomEvent("shortcuts:list", { detail: rows }));
    for (const [keys, meaning] of rows) list.append(term(keys), definition(meaning));
    return list;
  }
}

function term(keys: string): HTMLElement {
  const element = document.createElement("dt");
  for (const key of keys.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = key;
    element.append(cap, " ");
  }
  return element;
}

function definition(text: string): HTMLElement {
  const element = document.createElement("dd");
  element.textContent = text;
  return element;
}

if (!customElements.get("hy-shortcuts")) customElements.define("hy-shortcuts", HyShortcuts);
