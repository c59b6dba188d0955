// Whether a program can have one stack or several, and so how the calls of the waist are declared.
//
// A program on a host may have several, so there they are virtual. A board has one: there they are
// plain functions, which the stack defines in a file of forwards, and the linker drops whatever a
// program does not call. It cannot do that with what a vtable names: an echo server would carry
// UDP, DNS and all of connecting. Everything of a stack that is on every program's way (sockets'
// ends, turns, links, drivers) stays virtual on both.
#pragma once

// One wherever there is no operating system, unless the build says otherwise: then for all its
// files.
#if !defined(WEFT_ONE_STACK)
#if defined(__unix__) || defined(__APPLE__)
#define WEFT_ONE_STACK 0
#else
#define WEFT_ONE_STACK 1
#endif
#endif

// WEFT_SMALL: a function that hosts want inline, and a board once.
//
//     WEFT_WAIST result<> bind(const endpoint& at) noexcept WEFT_PURE;      // of the waist
//     result<> bind(const endpoint& at) noexcept WEFT_OVERRIDE;             // of a stack
#if WEFT_ONE_STACK
#define WEFT_SMALL [[gnu::noinline]]
#define WEFT_WAIST
#define WEFT_PURE
#define WEFT_OVERRIDE
#else
#define WEFT_SMALL
#define WEFT_WAIST virtual
#define WEFT_PURE = 0
#define WEFT_OVERRIDE override
#endif
