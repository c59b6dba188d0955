// A program that does what is undefined: the board says so, and ends with a status of its own.
int main() {
    __builtin_trap();
}
