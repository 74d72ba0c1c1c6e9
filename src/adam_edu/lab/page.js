// A page of the book: every figure's place becomes the figure.
import { mount } from "./lab.js";

document.querySelectorAll(".adam-edu-lab").forEach((host, i) => mount(host, i + 1));
