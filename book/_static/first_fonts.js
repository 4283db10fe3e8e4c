// The style sheet holds these two fonts; asked for at once, no formula moves when they come.
document.fonts.load("1em KaTeX_Main");
document.fonts.load("italic 1em KaTeX_Math");
