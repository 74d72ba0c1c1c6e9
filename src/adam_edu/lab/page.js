// A page of the book: every figure's place becomes the figure.
document.querySelectorAll(".adam-edu-lab").forEach((host, i) => mount(host, i + 1));
