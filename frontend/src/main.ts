import "./styles/main.css";
import "./styles/tabler.scss";
import "htmx.org/dist/htmx.esm.js";
import { startElements } from "./elements";
import { startShell } from "./shell";
import { startToasts } from "./toast";

startShell();
startToasts();
startElements();
document.addEventListener("htmx:after:process", () => document.documentElement.setAttribute("data-heard", ""), { once: true });
