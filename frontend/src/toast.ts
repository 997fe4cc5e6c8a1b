/** Short messages in the corner. Anything may ask for one: `toast("Saved", "ok")` or an `hy:toast` event. */
import { say } from "./words";

export type Tone = "ok" | "info" | "warn" | "bad";
export interface ToastDetail {
  text: string;
  tone?: Tone;
  href?: string;
  action?: string;
}

const STAY_MS = 6000;

export function toast(text: string, tone: Tone = "info", link?: { href: string; action: string }): void {
  const area = document.getElementById("toasts");
  if (!area) return;
  const box = document.createElement("div");
  box.className = `toast toast-${tone}`;
  const words = document.createElement("p");
  words.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.action;
    words.append(" ", anchor);
  }
  box.append(words, closeButton());
  area.append(box);
  watch(box);
}

function closeButton(): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toast-close";
  button.setAttribute("aria-label", say("关闭", "Close"));
  button.textContent = "✕";
  return button;
}

/** Errors stay until closed; the rest leaves by itself unless someone is reading it. */
function watch(box: Element): void {
  box.querySelector(".toast-close")?.addEventListener("click", () => box.remove());
  if (box.classList.contains("toast-bad")) return;
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : box.remove());
  setTimeout(leave, STAY_MS);
}

export function startToasts(): void {
  for (const box of document.querySelectorAll("#toasts .toast")) watch(box);
  document.addEventListener("hy:toast", (event) => {
    const detail = (event as CustomEvent<ToastDetail>).detail;
    const link = detail.href && detail.action ? { href: detail.href, action: detail.action } : undefined;
    toast(detail.text, detail.tone, link);
  });
  document.addEventListener("htmx:response:error", (event) => {
    const status = (event as CustomEvent<{ ctx?: { response?: { status?: number } } }>).detail?.ctx?.response?.status;
    if (status === 401 || status === 403 || status === 422) return; // these say what is wrong themselves
    toast(say("服务器没有完成这个操作，请重试。", "The server could not do that. Please try again."), "bad");
  });
  document.addEventListener("htmx:error", () => {
    toast(say("连接中断，请检查网络后重试。", "The connection was lost. Check the network and try again."), "bad");
  });
}
