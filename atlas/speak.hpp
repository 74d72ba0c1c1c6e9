// Serve optimizers to `adam-edu identify --command`, by lines of JSON.
#pragma once
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

using Numbers = std::vector<double>;
using Step = std::function<Numbers(const Numbers&)>;  // from a gradient to the parameter after it
using Chosen = std::map<std::string, double>;         // what has no default, and what was given

struct Optimizer {
  std::function<Step(const Numbers&)> begin;  // from where the parameter starts
  Chosen chosen;
};

// The numbers of a line such as {"g": [0.5, -1e-3]}.
inline Numbers numbers(const std::string& line) {
  Numbers found;
  for (size_t at = line.find('[') + 1; line[at] != ']';) {
    char* end = nullptr;
    found.push_back(std::strtod(line.c_str() + at, &end));
    at = line.find_first_not_of(", ", end - line.c_str());
  }
  return found;
}

// Name the optimizers, or let the one that the first argument names take its steps.
inline int speak(int argc, char** argv, const std::map<std::string, Optimizer>& optimizers) {
  std::cout << std::setprecision(17);
  if (argc < 2) {
    const char* comma = "{";
    for (const auto& [name, optimizer] : optimizers) {
      std::cout << comma << '"' << name << "\": {";
      const char* between = "";
      for (const auto& [key, value] : optimizer.chosen) {
        std::cout << between << '"' << key << "\": " << value;
        between = ", ";
      }
      std::cout << '}';
      comma = ", ";
    }
    std::cout << "}" << std::endl;
    return 0;
  }
  std::string line;
  std::getline(std::cin, line);
  const Step step = optimizers.at(argv[1]).begin(numbers(line));
  while (std::getline(std::cin, line)) {
    const char* comma = "{\"x\": [";
    for (const double x : step(numbers(line))) {
      std::cout << comma << x;
      comma = ", ";
    }
    std::cout << "]}" << std::endl;
  }
  return 0;
}
